"""`python -m tests.harness.soak`: see `soak.py`."""

from tests.harness.soak.soak import main

if __name__ == "__main__":
    main()

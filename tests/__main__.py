"""All checks, in one command: `python -m tests`. Further arguments go to pytest.

With `--long` what takes minutes is run, too: 500 simulated worlds instead of 100, soaks of 10
seconds each, and the other cases of tests that start programs or servers. CI does. With
`--real-model=PYTHON` a real model is asked as well: see `tests/real_model`. CI does that, too.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TOOLS = Path(sys.executable).parent
WORKERS = min(4, (os.cpu_count() or 1) + 1)
"""One more than there are processors: a good part of the time is spent waiting for programs."""
CHECKS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy"],
    "import direction": ["lint-imports", "--no-logo"],
    "tests": ["pytest", f"--numprocesses={WORKERS}", "--dist=loadgroup"],
}


def main(arguments: list[str]) -> int:
    """Runs one check after another; returns the code of the first that fails, else 0."""
    for name, (tool, *options) in CHECKS.items():
        print(f"== {name}", flush=True)
        command = [TOOLS / tool, *options, *(arguments if tool == "pytest" else [])]
        if code := subprocess.run(command, cwd=ROOT, check=False).returncode:
            print(f"== {name} failed", flush=True)
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

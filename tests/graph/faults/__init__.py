"""Bad input and faults on their whole way through a run.

`docs/faults.md` names for each line of its table the tests that prove it, here or elsewhere.
"""

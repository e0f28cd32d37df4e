"""Bad input and faults of which no other folder's tests see the whole way through a run.

`docs/faults.md` names for each line of its table the tests that prove it, here or elsewhere.
"""

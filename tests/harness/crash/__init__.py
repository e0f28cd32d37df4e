"""A whole run, killed at every point where something is written or sent, and resumed.

`python -m tests.harness.crash` kills at all of them; the tests, at some.
"""

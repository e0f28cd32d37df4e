"""Mutation testing: what the tests would not notice if it were otherwise.

`python -m tests.harness.mutation` remakes the figures; the tool is mutmut (extra `mutation`).
"""

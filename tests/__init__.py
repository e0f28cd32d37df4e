"""The tests: each folder is named after what it tests, and `harness/` holds what proves.

python -m tests          what has to hold
python -m tests --long   and what takes minutes
"""

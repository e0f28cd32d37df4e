"""What holds for every vendor, asked of each by its own client at its own protocol.

A vendor is a `VendorCase`, one small description in a file of its own, and a line in `cases.py`.
It says how its model is made at the loopback server, what its tokens cost, where a cap can be
named, and what it does not do. The tests know no vendor. What is one vendor's alone is tested in
`tests/models/test_metered_*.py` and `tests/models/providers/`.
"""

"""Promise: never over, nothing lost, nothing twice, with processes that are killed in the middle.

The full soak is `python -m tests.ledger.soak`: 100,000 reservations on each database.
"""

from tests.ledger.soak import soak


def test_processes_are_killed_and_taken_over_and_nothing_is_lost(address):
    """Eight on one account; three are killed wherever they are and replaced."""
    verdict = soak(address, processes=8, reservations=1_600, kills=3)
    assert "3 killed" in verdict

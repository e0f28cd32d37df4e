"""Which results a person should rate: a few of those that a check has passed.

What passes is never tried again, so only a rating tells how often a check passes what is wrong.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from thrifty.estimates.history import BillHistory, hash_name

AUDIT_COUNT = 5


class ResultToRate(NamedTuple):
    """A result that has passed a check, and that nobody has rated."""

    run_id: str
    step: str
    option: str
    check: str


def runs_to_rate(
    history: BillHistory, run_ids: Iterable[str], count: int = AUDIT_COUNT, seed: int = 0
) -> tuple[ResultToRate, ...]:
    """A choice of passed results without a rating, drawn by the seed alone.

    Args:
        history: what is known of earlier runs.
        run_ids: as receipts name them. A store keeps digests, which name no run.
        count: the most results.
        seed: of the draw. The same seed draws the same results.
    """
    names = {hash_name(run_id): run_id for run_id in run_ids}
    passed = [
        ResultToRate(names[record.run], record.step, work.option, record.check)
        for work, records in history.records.items()
        for record in records
        if record.passed and record.rating is None and record.run in names
    ]
    return tuple(sorted(passed, key=lambda result: _draw(seed, result))[:count])


def _draw(seed: int, result: ResultToRate) -> bytes:
    text = f"{seed}\n{result.run_id}\n{result.option}"
    return sha256(text.encode("utf-8", "surrogatepass")).digest()

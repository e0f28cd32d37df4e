"""The vendors whose models are asked: how the tests make their clients, and what they cost."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cache

from benchmarks.overshoot.workload import NANO_PER_USD, OUTPUT_TOKENS_MAX, PROMPT_TOKENS, Cell
from benchmarks.overshoot.workload import answer_tokens as tokens_wanted
from tests.models.vendors.cases import CASES
from tests.models.vendors.vendor_case import VendorCase

CALLS = 40
"""How many calls of average length a budget pays for. What bounds a prompt elsewhere than at OpenAI
is its bytes, five times its tokens: of a budget for seven calls, that is a tenth."""
SAMPLE = 20_000


def vendor_case(name: str) -> VendorCase:
    """A vendor, by its name in the tests."""
    return next(case for case in CASES if case.name == name)


def vendor_cells(callers: int) -> Iterator[Cell]:
    """A cell for each vendor, with a budget of its own size."""
    for case in CASES:
        budget = CALLS * (PROMPT_TOKENS * case.prices.input + _mean_tokens() * case.prices.output)
        usd = str(Decimal(round(budget)) / NANO_PER_USD)
        yield Cell(usd, callers, None, vendor=case.name)


@cache
def _mean_tokens() -> float:
    sample = (min(tokens_wanted("average", n), OUTPUT_TOKENS_MAX) for n in range(SAMPLE))
    return sum(sample) / SAMPLE

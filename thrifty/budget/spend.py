"""What was used, or is estimated to be used, of each resource."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thrifty.budget import validate
from thrifty.budget.plain_data import PlainData
from thrifty.budget.resources import RESOURCES

if TYPE_CHECKING:
    from thrifty.budget.states import SpendState

Amounts = tuple[int, int, int, int]
"""An amount of each resource, in the order of `RESOURCES`."""
SPEND_FIELDS = tuple(resource.spend_field for resource in RESOURCES)


@dataclass(frozen=True, slots=True)
class Spend(PlainData["SpendState"]):
    """An amount of every resource: whole numbers, none below zero.

    Raises:
        InvalidInput: a field is no whole number from 0 to 10^15.
    """

    MAY_LACK = SPEND_FIELDS

    tokens: int = 0
    """Input and output tokens, reasoning included."""
    cost_nano_usd: int = 0
    """Money, in billionths of a dollar."""
    latency_ms: int = 0
    """Time, in milliseconds."""
    tool_calls: int = 0
    """Calls to a model or to any outside tool."""

    def __post_init__(self) -> None:
        # A run makes thousands: only what cannot be right is looked at more closely.
        for field in SPEND_FIELDS:
            amount = getattr(self, field)
            if type(amount) is not int or not 0 <= amount <= validate.AMOUNT_MAX:
                validate.amount(field, amount)

    def __add__(self, other: Spend) -> Spend:
        return Spend(*(a + b for a, b in zip(self.amounts, other.amounts, strict=True)))

    def __sub__(self, other: Spend) -> Spend:
        """What is left of this when `other` is taken out.

        Raises:
            InvalidInput: `other` is larger in some resource.
        """
        return Spend(*(a - b for a, b in zip(self.amounts, other.amounts, strict=True)))

    @property
    def amounts(self) -> Amounts:
        """The four numbers, in the order of `RESOURCES`."""
        return self.tokens, self.cost_nano_usd, self.latency_ms, self.tool_calls


def total_spend(spends: Iterable[Spend]) -> Spend:
    """The sum of many."""
    # Four counters: with `+`, each term would make and check one more `Spend`.
    tokens = cost_nano_usd = latency_ms = tool_calls = 0
    for spend in spends:
        tokens += spend.tokens
        cost_nano_usd += spend.cost_nano_usd
        latency_ms += spend.latency_ms
        tool_calls += spend.tool_calls
    return Spend(tokens, cost_nano_usd, latency_ms, tool_calls)

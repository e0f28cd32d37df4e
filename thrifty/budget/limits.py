"""The limits of a run: what it was given to spend."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from thrifty.budget import validate
from thrifty.budget.dollars import usd
from thrifty.budget.errors import InvalidInput
from thrifty.budget.money import limit_nano_usd
from thrifty.budget.plain_data import PlainData
from thrifty.budget.resources import COST, RESOURCES, Resource
from thrifty.budget.spend import Spend
from thrifty.budget.validate import AMOUNT_MAX

if TYPE_CHECKING:
    from thrifty.budget.states import BudgetState

BUDGET_FIELDS = tuple(resource.limit_field for resource in RESOURCES)
NANO_FIELD = "max_cost_nano_usd"

LimitAmounts = tuple[int | None, int | None, int | None, int | None]
"""A limit of each resource in the units of a `Spend`, in the order of `RESOURCES`."""


@dataclass(frozen=True, slots=True)
class Budget(PlainData["BudgetState"]):
    """The most that may be spent of each resource. `None` sets no limit.

    Raises:
        InvalidInput: a limit is negative, not finite, of the wrong type, or absurdly large.
    """

    max_tokens: int | None = None
    """Input and output tokens together, reasoning included."""
    max_cost_usd: Decimal | float | int | None = None
    """Dollars, kept exact to a billionth. Finer digits are cut off."""
    max_latency_ms: int | None = None
    """Milliseconds of the run's active time. Waiting for a person does not count."""
    max_tool_calls: int | None = None
    """Calls to a model or to any outside tool."""

    def __post_init__(self) -> None:
        # A call makes several: as in a `Spend`, only what cannot be right is looked at closely.
        for field in ("max_tokens", "max_latency_ms", "max_tool_calls"):
            limit = getattr(self, field)
            if limit is not None and (type(limit) is not int or not 0 <= limit <= AMOUNT_MAX):
                validate.amount(field, limit)
        if self.max_cost_usd is not None:
            exact = usd(limit_nano_usd("max_cost_usd", self.max_cost_usd))
            object.__setattr__(self, "max_cost_usd", exact)

    @property
    def limits(self) -> LimitAmounts:
        """The four limits in the units of a `Spend`, in the order of `RESOURCES`."""
        # It was checked when this was made, so that no refusal has to name its field.
        cost = None if self.max_cost_usd is None else limit_nano_usd("", self.max_cost_usd)
        return self.max_tokens, cost, self.max_latency_ms, self.max_tool_calls

    @property
    def is_unlimited(self) -> bool:
        """Whether nothing at all is limited."""
        return all(limit is None for limit in self.limits)

    def exceeded_by(self, spend: Spend) -> dict[str, int]:
        """By how much a spend passes each limit, by the name of the resource. Empty within."""
        excess: dict[str, int] = {}
        for resource, limit, amount in zip(RESOURCES, self.limits, spend.amounts, strict=True):
            if limit is not None and amount > limit:
                excess[resource.name] = amount - limit
        return excess

    def covers(self, spend: Spend) -> bool:
        """Whether a spend passes no limit. It may reach one."""
        return not self.exceeded_by(spend)

    def left_after(self, spend: Spend) -> Budget:
        """What remains to be spent. An overrun leaves zero, never less."""
        return Budget.of_limits(
            None if limit is None else max(0, limit - amount)
            for limit, amount in zip(self.limits, spend.amounts, strict=True)
        )

    def tightest_with(self, other: Budget) -> Budget:
        """The budget of the lower limit of each pair."""
        return Budget.of_limits(tighter_limits(self.limits, other.limits))

    def limited_to(self, spend: Spend) -> Budget:
        """As limits, the amounts of a spend of all that is limited here, but for time."""
        pairs = zip(self.without_latency().limits, spend.amounts, strict=True)
        return Budget.of_limits(None if limit is None else amount for limit, amount in pairs)

    def raised_by(self, more: Mapping[str, int]) -> Budget:
        """A budget with more of the resources that are named, where they have a limit."""
        return Budget.of_limits(
            None if limit is None else limit + more.get(resource.name, 0)
            for resource, limit in zip(RESOURCES, self.limits, strict=True)
        )

    def without_latency(self) -> Budget:
        """The same limits but for time, which does not add up over calls side by side."""
        return replace(self, max_latency_ms=None)

    def with_limits(self, limits: object, field: str = "budget") -> Budget:
        """The same budget but for the limits that are named, as in `{"max_tokens": 4000}`.

        Raises:
            InvalidInput: nothing is named, or a name or a limit cannot be used.
        """
        named = validate.record(field, limits, BUDGET_FIELDS)
        if not named:
            raise InvalidInput(field, limits, f"name one of: {', '.join(BUDGET_FIELDS)}")
        return replace(self, **named)

    def limits_of(self, resources: Collection[str]) -> dict[str, int | float]:
        """The limits of these resources alone, by the names that `with_limits` reads."""
        return {
            resource.limit_field: float(limit) if resource is COST else limit
            for resource in RESOURCES
            if resource.name in resources
            and (limit := getattr(self, resource.limit_field)) is not None
        }

    def limited_resources(self) -> tuple[tuple[Resource, int], ...]:
        """The resources that have a limit, each with it."""
        pairs = zip(RESOURCES, self.limits, strict=True)
        return tuple((resource, limit) for resource, limit in pairs if limit is not None)

    @classmethod
    def of_limits(cls, limits: Iterable[int | None]) -> Budget:
        """A budget from four limits in the units of a `Spend`, in the order of `RESOURCES`."""
        tokens, cost, latency, calls = limits
        return cls(tokens, None if cost is None else usd(cost), latency, calls)

    def to_state(self) -> BudgetState:
        tokens, cost, latency, calls = self.limits
        return {
            "max_tokens": tokens,
            "max_cost_nano_usd": cost,
            "max_latency_ms": latency,
            "max_tool_calls": calls,
        }

    @classmethod
    def from_state(cls, state: object, field: str = "budget") -> Budget:
        """Reads plain data, written by a person or by `to_state`."""
        given = dict(validate.record(field, state, (*BUDGET_FIELDS, NANO_FIELD)))
        if (nano := given.pop(NANO_FIELD, None)) is not None:
            if given.get("max_cost_usd") is not None:
                raise InvalidInput(f"{field}.{NANO_FIELD}", nano, "limit cost in one unit only")
            given["max_cost_usd"] = usd(validate.amount(f"{field}.{NANO_FIELD}", nano))
        return cls(**given)


def tighter_limits(limits: LimitAmounts, others: LimitAmounts) -> LimitAmounts:
    """Of each pair of limits the lower one."""
    tokens, cost, latency, calls = (
        b if a is None else a if b is None else min(a, b)
        for a, b in zip(limits, others, strict=True)
    )
    return tokens, cost, latency, calls


BUDGET_DEFAULT = Budget(max_tokens=8_000, max_latency_ms=60_000, max_tool_calls=8)
"""What a run may spend that nobody gave a budget."""

"""A tiny ledger to compare the real ones with: a list of calls, and no counters.

A call knows when it was reserved, and which accounts stood above its own. Whatever is asked, all
calls are summed up anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

Amounts = tuple[int, int, int]
"""Tokens, nano-USD and calls: what a ledger limits."""
Limits = tuple[int | None, int | None, int | None]
LimitsByPeriod = dict[str, Limits]
"""In the order of the ledger's periods: `run` first."""

RESOURCES = ("tokens", "cost", "tool_calls")
NOTHING: Amounts = (0, 0, 0)
OPEN = ("unsent", "pending")
UNSENT_MS_MAX, PENDING_MS_MAX = 600_000, 86_400_000
"""How old an open call can become before anybody may close it."""


@dataclass
class Call:
    """A call in the model."""

    account: str
    key: str
    path: tuple[str, ...]
    """Its account and those above it, as they stood when it was reserved."""
    at_ms: int
    status: str
    reserved: Amounts
    charged: Amounts = NOTHING

    @property
    def held(self) -> Amounts:
        return self.reserved if self.status in OPEN else NOTHING


@dataclass
class Grant:
    """What an account holds for a sub-agent's."""

    child: str
    path: tuple[str, ...]
    """The account that granted it and those above that one."""
    is_returned: bool = False


@dataclass
class Account:
    """An account in the model."""

    limits: LimitsByPeriod
    parent: str = ""
    zone: str = "UTC"
    is_closed: bool = False
    grant: Grant | None = None
    fence: int = 0
    """Of the last lease that was taken."""


class Refusal(NamedTuple):
    """Why a call is not reserved."""

    account: str
    period: str
    """Empty where the account is closed."""
    missing: dict[str, int]


@dataclass
class Model:
    """Accounts by their names, and all calls in the order of their reservation."""

    now_ms: int
    accounts: dict[str, Account] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)

    def path(self, name: str) -> tuple[str, ...]:
        """The account and those above it, up to the root."""
        parent = self.accounts[name].parent
        return (name, *self.path(parent)) if parent else (name,)

    def family(self, name: str) -> list[str]:
        """The account and those below it."""
        return [each for each in self.accounts if name in self.path(each)]

    def call(self, account: str, key: str) -> Call | None:
        found = [c for c in self.calls if (c.account, c.key) == (account, key)]
        return found[0] if found else None

    def counted(self, name: str, period: str) -> list[Call]:
        """The calls that count against the limits of an account in a period now."""
        zone = self.accounts[name].zone
        return [
            call
            for call in self.calls
            if name in call.path and is_in_window(period, zone, call.at_ms, self.now_ms)
        ]

    def spent(self, name: str, period: str = "run") -> Amounts:
        return total(call.charged for call in self.counted(name, period))

    def reserved(self, name: str, period: str = "run") -> Amounts:
        """Of its open calls and, in all, what it holds for sub-agents."""
        grants = [g for g in self.grants if name in g.path] if period == "run" else []
        return total([*(call.held for call in self.counted(name, period)), *map(self.held, grants)])

    def held(self, grant: Grant) -> Amounts:
        """What a sub-agent has not used of its limits."""
        if grant.is_returned:
            return NOTHING
        limits = self.accounts[grant.child].limits["run"]
        return self.unused(limits, total([self.spent(grant.child), self.reserved(grant.child)]))

    def unused(self, limits: Limits, used: Amounts) -> Amounts:
        return excess((limits[0] or 0, limits[1] or 0, limits[2] or 0), used)

    def missing(self, name: str, period: str, more: Amounts) -> dict[str, int]:
        """By how much so much more would pass the limits of one account in one period."""
        used = total([self.spent(name, period), self.reserved(name, period), more])
        limits = self.accounts[name].limits[period]
        return {
            resource: amount - limit
            for resource, limit, amount in zip(RESOURCES, limits, used, strict=True)
            if limit is not None and amount > limit
        }

    def missing_of_more(self, name: str, more: Amounts) -> dict[str, int]:
        """The same in all: what is over already is no hindrance where it takes nothing."""
        wanted = [resource for resource, amount in zip(RESOURCES, more, strict=True) if amount]
        return {r: by for r, by in self.missing(name, "run", more).items() if r in wanted}

    def refusal(self, name: str, worst: Amounts) -> Refusal | None:
        """Why a call does not fit, or None where it does."""
        for each in self.path(name):
            if self.accounts[each].is_closed:
                return Refusal(each, "", {})
        more, is_held = worst, False
        for each in self.path(name):
            for period in self.accounts[each].limits:
                if is_held and period == "run":
                    missing = self.missing_of_more(each, more)
                else:
                    missing = self.missing(each, period, worst)
                if missing:
                    return Refusal(each, period, missing)
            if grant := self.accounts[each].grant:
                more, is_held = excess(more, self.held(grant)), True
        return None

    def refusal_to_hold(self, name: str, more: Amounts) -> Refusal | None:
        """Why an account cannot hold more for a sub-agent, or None where it can."""
        for each in self.path(name):
            if missing := self.missing_of_more(each, more):
                return Refusal(each, "run", missing)
            if grant := self.accounts[each].grant:
                more = excess(more, self.held(grant))
        return None

    def left(self, name: str) -> Limits:
        """The least that any account on the way to the root has left in any period."""
        if any(self.accounts[each].is_closed for each in self.path(name)):
            return NOTHING
        tokens, cost, calls = (
            min((amount for amount in amounts if amount is not None), default=None)
            for amounts in zip(
                *(self.left_in(e, period) for e in self.path(name) for period in self.periods(e)),
                strict=True,
            )
        )
        return tokens, cost, calls

    def left_in(self, name: str, period: str) -> Limits:
        used = total([self.spent(name, period), self.reserved(name, period)])
        tokens, cost, calls = (
            None if limit is None else max(0, limit - amount)
            for limit, amount in zip(self.accounts[name].limits[period], used, strict=True)
        )
        return tokens, cost, calls

    def periods(self, name: str) -> list[str]:
        return list(self.accounts[name].limits)

    def too_old(self, top: str | None) -> list[Call]:
        """The open calls that a sweep closes though their process is there."""
        return [
            call
            for call in self.calls
            if call.status in OPEN
            and (top is None or top in call.path)
            and self.now_ms - call.at_ms
            > (UNSENT_MS_MAX if call.status == "unsent" else PENDING_MS_MAX)
        ]

    def open_calls(self, *accounts: str) -> list[Call]:
        return [c for c in self.calls if c.status in OPEN and c.account in accounts]

    def reclaim(self, grant: Grant) -> None:
        """Closes a sub-agent's account and frees what is held for it, and in it for others."""
        family = self.family(grant.child)
        give_up(self.open_calls(*family))
        self.accounts[grant.child].is_closed = True
        for name in family:
            if below := self.accounts[name].grant:
                below.is_returned = True


def give_up(calls: list[Call]) -> None:
    """What becomes of open calls that nobody will close any more."""
    for call in calls:
        if call.status == "unsent":
            call.status = "released"
        else:
            call.status, call.charged = "in_doubt", call.reserved


def is_in_window(period: str, zone: str, at_ms: int, now_ms: int) -> bool:
    """Whether what was reserved at a moment counts in a period now."""
    if period == "run":
        return True
    if period == "minute":  # later ones as well, where the clock was put back
        return now_ms // 10_000 - at_ms // 10_000 <= 6
    if period == "hour":
        return at_ms // 3_600_000 == now_ms // 3_600_000
    at, now = _local_day(at_ms, zone), _local_day(now_ms, zone)
    return at == now if period == "day" else at[:2] == now[:2]


@cache
def _local_day(ms: int, zone: str) -> tuple[int, int, int]:
    local = datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(zone))
    return local.year, local.month, local.day


def total(amounts: Iterable[Amounts]) -> Amounts:
    tokens, cost, calls = (sum(column) for column in zip(NOTHING, *amounts, strict=True))
    return tokens, cost, calls


def excess(a: Amounts, b: Amounts) -> Amounts:
    """By how much the first are more than the second."""
    tokens, cost, calls = (max(0, x - y) for x, y in zip(a, b, strict=True))
    return tokens, cost, calls

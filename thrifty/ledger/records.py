"""What a ledger hands out: entries, balances, accounts and leases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, Literal, NamedTuple, TypeVar, cast

from thrifty.budget import Budget, Spend
from thrifty.budget.local_time import describe_reset
from thrifty.budget.periods import Period
from thrifty.budget.resources import format_amounts

T = TypeVar("T")
EntryStatus = Literal["unsent", "pending", "settled", "released", "in_doubt", "granted", "returned"]
OPEN_STATUSES: tuple[EntryStatus, ...] = ("unsent", "pending", "granted")
"""While part of a limit is still held."""

NOTHING = Budget(0, 0, None, 0)

NOTE_KEYS = "notes/"
"""What the keys of notes begin with."""
Tags = tuple[tuple[str, str], ...]
"""Names and values by which entries are told apart later, in the order of the names."""
MODEL_TAG = "model"
"""The tag that metered calls have by themselves."""


class Entry(NamedTuple):
    """One line of the bill: a call, or what is held for a sub-agent.

    A named tuple, since a ledger makes two for each call: a frozen dataclass takes thrice as long.
    """

    key: str
    """Made before the call from run, step, option and attempt. Of a grant it is the name of the
    sub-agent's account."""
    label: str
    """What the call was for, as the receipt names it."""
    status: EntryStatus
    """A call is `unsent` or `pending` (it may have been sent), then `settled`, `released`, or
    `in_doubt`: nobody knows what it cost, so all of `reserved` is charged. A grant is
    `granted`, then `returned`."""
    reserved: Spend
    """The worst case that was taken from the limits before the call. Of a grant, what is still
    held for its account."""
    charged: Spend = Spend()
    """What the call cost: nothing while open or when released. A grant costs nothing itself."""
    answer: str = ""
    """The journaled answer, so that a resume replays it instead of paying again."""
    fingerprint: str = ""
    """What was asked: the same key with another fingerprint is an error. Empty says nothing."""
    run: str = ""
    """The run whose call it is."""
    account: str = ""
    """The account that was asked. It is booked in that one and in all above it."""
    owner: str = ""
    """The process that reserved it, by which a sweep finds out whether it is gone."""
    at_ms: int = 0
    """When it was reserved, in milliseconds since 1970."""
    tags: Tags = ()
    """What it is counted under, such as `("model", "gpt-5")`."""
    counters: tuple[int, ...] = ()
    """The numbers of the counters in which it is booked, and will be settled."""

    @property
    def is_open(self) -> bool:
        """Whether part of a limit is still held for it."""
        return self.status in OPEN_STATUSES

    @property
    def is_grant(self) -> bool:
        """Whether it stands for a sub-agent's account instead of a call."""
        return self.status in ("granted", "returned")

    @property
    def is_note(self) -> bool:
        """Whether it is no call and no grant: a fact about calls, which costs nothing."""
        return self.key.startswith(NOTE_KEYS)

    @property
    def is_overrun(self) -> bool:
        """Whether more was charged than had been reserved."""
        charged, reserved = self.charged, self.reserved
        return (
            charged.tokens > reserved.tokens
            or charged.cost_nano_usd > reserved.cost_nano_usd
            or charged.tool_calls > reserved.tool_calls
        )


def maker_of(kind: type[T]) -> Callable[[tuple[Any, ...]], T]:
    """What makes named tuples out of a tuple of all their fields, in order.

    Their own constructor is Python code and takes thrice as long, and a ledger makes eight of them
    for each call. Elsewhere use that: it checks names and types.
    """
    return cast("Callable[[tuple[Any, ...]], T]", partial(tuple.__new__, kind))


make_entry = maker_of(Entry)


@dataclass(frozen=True, slots=True)
class PeriodBalance:
    """Where an account stands in the current window of one period, all below it included."""

    account: str
    period: Period
    budget: Budget
    """The limits in this period."""
    spent: Spend
    reserved: Spend
    resets_at_ms: int | None = None
    """When the window ends, in milliseconds since 1970. None for the period `run`. Of a minute,
    when the first of what it counts now no longer counts."""
    zone: str = "UTC"
    """The time zone in which the account's days and months begin."""

    def __str__(self) -> str:
        """What is left, and when there is more, in words."""
        amounts = {resource.name: limit for resource, limit in self.left.limited_resources()}
        told = f"{self.account} has {format_amounts(amounts)} left"
        if self.resets_at_ms is None:
            return told
        reset = describe_reset(self.period, self.resets_at_ms, self.zone)
        return f"{told} this {self.period}; {reset}"

    @property
    def left(self) -> Budget:
        """What may still be reserved in this window. The ledger does not limit latency."""
        return self.unspent.left_after(self.reserved)

    def left_of(self, resource: str) -> int | None:
        """What may still be reserved of one resource. None where it has no limit."""
        left = {each.name: limit for each, limit in self.left.limited_resources()}
        return left.get(resource)

    @property
    def unspent(self) -> Budget:
        """What could be reserved if everything that is reserved now were released."""
        return self.budget.without_latency().left_after(self.spent)


@dataclass(frozen=True, slots=True)
class Balance:
    """Where an account stands: in each of its periods, and in those of the accounts above it."""

    periods: tuple[PeriodBalance, ...]
    """Its own first, `run` before the others, then those of its parent, and so on."""
    is_closed: bool = False
    """Whether the account, or one above it, takes no calls any more."""

    @property
    def budget(self) -> Budget:
        """The account's own limits of the period `run`."""
        return self.periods[0].budget

    @property
    def spent(self) -> Spend:
        """What the account has spent in all, with the accounts below it."""
        return self.periods[0].spent

    @property
    def reserved(self) -> Spend:
        """What is reserved now, in this account and below it."""
        return self.periods[0].reserved

    @property
    def limits(self) -> Budget:
        """What limits its calls at all: of each resource the lowest limit up to the root."""
        return reduce(Budget.tightest_with, (period.budget for period in self.periods))

    @property
    def left(self) -> Budget:
        """What may still be reserved: the least that any window on the way to the root has left."""
        if self.is_closed:
            return NOTHING
        return reduce(Budget.tightest_with, (period.left for period in self.periods))

    @property
    def unspent(self) -> Budget:
        """What could be reserved if everything that is reserved now were released."""
        if self.is_closed:
            return NOTHING
        return reduce(Budget.tightest_with, (period.unspent for period in self.periods))

    def limited_by(self, resource: str) -> str:
        """The window of an account above that leaves the least of a resource, in words.

        Empty where the account's own limit leaves less, or nothing limits the resource.
        """
        own, *above = ((period.left_of(resource), period) for period in self.periods)
        limited = [(left, str(period)) for left, period in above if left is not None]
        if not limited:
            return ""
        least, told = min(limited)
        return told if own[0] is None or least <= own[0] else ""


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """An account as it was opened."""

    name: str
    parent: str
    """The account above it. Empty for a root."""
    limits: Mapping[Period, Budget]
    zone: str
    """The IANA time zone in which its days and months begin."""
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to spend as a run, until somebody takes it over.

    It is shown in place of the account's name: `ledger.reserve(lease, key, …)`.
    """

    account: str
    run: str
    """Where several runs share an account, each has a lease. Else it is the account's name."""
    owner: str
    """Who holds it, in words that tell a person which process that is."""
    fence: int
    """Grows with each take-over, so that a lease from before it is known to be stale."""
    since_ms: int
    """When it was taken, in milliseconds since 1970."""


AccountOrLease = str | Lease
"""An account by its name or, once somebody has taken it, by the lease that shows who asks."""

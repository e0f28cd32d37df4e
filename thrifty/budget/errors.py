"""Everything that can be refused or go wrong, in one small tree; each message ends with its remedy.

ThriftyError
├── InvalidInput        a value that no run can start from: names the field, the value, the remedy
├── BudgetExceeded      a call whose worst case does not fit in what is left; it was not sent
│   └── AccountClosed   the account, or one above it, takes no calls any more
├── PriceUnknown        money is limited and nobody knows what the call would cost; it was not sent
├── ModelUnavailable    no key, no server, or a server that did not answer usefully
├── ReservationClosed   a reservation that was already settled or released is touched again
├── StepEnded           a call for a step that has returned and is settled; it was not sent
├── KeyReused           a key that names one call, or one sub-agent, is used for another
├── LeaseLost           a run is held by somebody else: this owner may no longer spend in it
└── LedgerUnavailable   the ledger cannot be read or written; what it could not reserve was not sent
"""

import copyreg
from collections.abc import Mapping
from time import gmtime, strftime
from typing import Any

from thrifty.budget.resources import format_amounts
from thrifty.budget.secret_names import is_secret

VALUE_CHARACTERS_MAX = 60


class ThriftyError(Exception):
    """The root of every error that thrifty raises on purpose."""

    exit_code = 1
    """What the command line returns when this error ends it."""

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy, or what another process unpickles, has the same message and the same facts.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class InvalidInput(ThriftyError, ValueError):
    """A value was refused before anything was spent."""

    exit_code = 2

    def __init__(self, field: str, value: object, remedy: str) -> None:
        self.field = field
        """The dotted name of the refused field, as the caller wrote it."""
        self.value = value
        """The refused value."""
        self.remedy = remedy
        """What to write instead."""
        got = "a secret" if is_secret(field, value) else format_value(value)
        super().__init__(f"{field}: got {got}; {remedy}")


class BudgetExceeded(ThriftyError):
    """A worst case does not fit beside what is spent and reserved, and nothing was sent."""

    exit_code = 3

    def __init__(
        self,
        missing: Mapping[str, int],
        what: str,
        account: str = "",
        period: str = "run",
        resets_at_ms: int | None = None,
        zone: str = "UTC",
        *,
        is_shared: bool = False,
        is_beyond_window: bool = False,
    ) -> None:
        self.missing = dict(missing)
        """By how much each resource falls short, in that resource's unit."""
        self.account = account
        """The account whose limit it is: the one that was asked, or one above it (`is_shared`)."""
        self.period = period
        """What that limit is counted over: run, minute, hour, day or month."""
        self.resets_at_ms = resets_at_ms
        """When the next window begins, in milliseconds since 1970. `None` for a run."""
        self.zone = zone
        """The time zone in which the account counts days and months."""
        self.is_beyond_window = is_beyond_window
        """Whether it fits in no window, however little is spent: to wait for a reset is no use."""
        short = format_amounts(self.missing)
        if period == "run":
            where = f" in {_show_name(account)}" if is_shared else ""
            told = f"{what} does not fit: {short} short{where}; raise the budget or drop the step"
        else:
            told = f"{what} does not fit, {short} short: {self._describe_window()}"
        super().__init__(told)

    def _describe_window(self) -> str:
        name = _show_name(self.account)
        if self.is_beyond_window:
            whole = f"the {self.period}'s whole budget of {name}"
            return f"it is more than {whole}; raise that or drop the step"
        spent = f"the {self.period}'s budget of {name} is spent"
        if self.resets_at_ms is None:
            return f"{spent}; raise it, or wait"
        from thrifty.budget.local_time import describe_reset  # loads the calendar

        return f"{spent}; {describe_reset(self.period, self.resets_at_ms, self.zone)}"


class PriceUnknown(ThriftyError):
    """Money is limited, and the price of a model is not known."""

    exit_code = 6

    def __init__(self, model: str, detail: str = "") -> None:
        self.model = model
        """The model's name, as it would have been sent."""
        why = f" ({detail})" if detail else ""
        super().__init__(
            f"no price is known for model {format_value(model)}{why}; "
            "give it one, in THRIFTY_PRICES or in prices=, or drop the limit on cost"
        )


class ModelUnavailable(ThriftyError):
    """A model call could not be made, or brought nothing usable. What it cost is on the bill."""

    exit_code = 7

    def __init__(self, message: str, *, for_good: bool = False) -> None:
        self.for_good = for_good
        """Whether no other call would fare better: no server, a refused key."""
        super().__init__(message)


class ReservationClosed(ThriftyError):
    """A reservation can be settled or released once."""

    def __init__(self, key: str, status: str) -> None:
        self.key = key
        """The id the reservation was made under."""
        self.status = status
        """What it has become: settled, released, or never made."""
        super().__init__(f"reservation {key!r} is {status}; reserve again under a new id")


class AccountClosed(BudgetExceeded):
    """An account was closed, or one above it: nothing fits in it any more.

    What it has spent and its open calls stay.
    """

    exit_code = 12

    def __init__(self, account: str) -> None:
        super().__init__({}, "a call", account)
        name = _show_name(account)
        self.args = (f"account {name} is closed: no call can be made on it; use another",)


class StepEnded(ThriftyError):
    """A step has returned and is settled. What it left running may not call anything more."""

    def __init__(self) -> None:
        super().__init__("the step has ended and is settled; let its calls end before it returns")


class KeyReused(ThriftyError):
    """One key names one call: the same key with another request would be paid under its name."""

    exit_code = 8

    def __init__(self, key: str, why: str) -> None:
        self.key = key
        """The key that is taken."""
        self.why = why
        """What it already stands for."""
        super().__init__(f"key {format_value(key)} {why}; make one key for each call")


class LeaseLost(ThriftyError):
    """A run has one owner, and it is somebody else."""

    exit_code = 9

    def __init__(self, run: str, holder: str, since_ms: int, fence: int) -> None:
        self.run = run
        """The run that was touched."""
        self.holder = holder
        """Who holds it. Empty when nobody does, but the lease that was shown has ended."""
        self.since_ms = since_ms
        """Since when, in milliseconds since 1970."""
        self.fence = fence
        """The number of the lease in force: what a take-over has to name."""
        since = strftime("%Y-%m-%dT%H:%M:%S+00:00", gmtime(since_ms // 1000))
        state = f"is held by {holder!r} since {since}" if holder else f"was left at {since}"
        super().__init__(
            f"run {format_value(run)} {state} (lease {fence}); "
            "wait for it, or take it over if it is gone"
        )


class LedgerUnavailable(ThriftyError):
    """The ledger could not be read or written.

    At a reservation: no call may be made. At a settlement: the reservation stands, so that
    the call is charged in full until it can be settled or reconciled.
    """

    exit_code = 10


def format_value(value: object) -> str:
    """A value as an error prints it: its repr, cut to a line's worth."""
    try:
        text = ascii(value)  # escapes whatever could move a cursor
    except ValueError:  # an integer with more digits than Python agrees to print
        text = f"a {type(value).__name__} too long to print"
    return _cut(text)


def _show_name(account: str) -> str:
    from thrifty.budget.plain_text import single_line  # not needed to plan

    return _cut(single_line(account)) or "the account"


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_CHARACTERS_MAX else text[: VALUE_CHARACTERS_MAX - 1] + "…"

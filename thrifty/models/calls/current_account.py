"""The account on which the calls of this context are booked, and those around it that hold them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import AccountOrLease
from thrifty.models.calls.step_account import Place, StepAccount

_current: ContextVar[StepAccount | None] = ContextVar("thrifty_step_account", default=None)


def current_account() -> StepAccount | None:
    """The account of the executor in which this code runs; None outside."""
    return _current.get()


def booking_place(ledger: Ledger, account: AccountOrLease) -> Place:
    """Where a call on an account is booked.

    Where a step around this code spends from an account below that one, the call is booked there.
    It counts in both, once, and the limits of both hold it.
    """
    step = _current.get()
    while step is not None:
        if step.is_below(ledger, account):
            ledger, account = step.ledger, step.account
        step = step.parent
    return ledger, account


def enclosing_account(ledger: Ledger, account: AccountOrLease) -> StepAccount | None:
    """The innermost step around this code that has to hold a call on that account as well."""
    step = _current.get()
    while step is not None and step.has_entries_of(ledger, account):
        step = step.parent
    return step


@contextmanager
def use_account(account: StepAccount) -> Iterator[StepAccount]:
    """Books calls on an account, for as long as the step lasts, in this context and no other."""
    token = _current.set(account)
    try:
        yield account
    finally:
        _current.reset(token)

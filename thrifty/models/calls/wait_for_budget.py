"""Waits for what other calls hold, as long as the caller allows and time lasts.

Nobody is told when a reservation is settled, which may happen in another process: a waiting call
looks again and again at the balance, and tries only when that has changed. There is no queue; of
those who wait, whoever looks first takes what came back.
"""

import asyncio
from contextlib import ExitStack, suppress
from functools import partial

from thrifty.budget.clock import NANO_PER_MS, now_ns
from thrifty.ledger.records import Entry
from thrifty.models.calls.first_hold import HoldTerms
from thrifty.models.calls.reservation import CallAccounts, Reservation
from thrifty.models.calls.waiting_calls import waiting_calls
from thrifty.models.wire.background_loop import BackgroundLoop, CallAbandoned

LOOK_AGAIN_S = 0.02
"""Short beside what any call takes."""


async def wait_for_budget(
    accounts: CallAccounts,
    after: Entry | None,
    terms: HoldTerms,
    loop: BackgroundLoop,
    abandoned: asyncio.Event,
) -> Reservation | None:
    """A reservation for the longest answer, or None where the wait or the time is over before.

    Where callers compete, and a shorter one is held at first, it waits for that alone.

    Args:
        accounts: where the call is booked; its allowance says how long it may wait.
        after: the entry of an earlier attempt that was charged.
        terms: how much it may hold.
        loop: the background loop, on which this runs.
        abandoned: is set when nobody waits any more.

    Raises:
        CallAbandoned: nobody waits any more.
    """
    allowance, tried = accounts.allowance, None
    in_thread = partial(loop.in_thread, accounts.ledgers)
    wait_until_ns = now_ns() + allowance.patience_ms * NANO_PER_MS
    with ExitStack() as counted:
        while True:
            balance = await in_thread(allowance.ledger.balance, allowance.account)
            left_ms = allowance.left_ms(balance.budget)
            if now_ns() >= wait_until_ns or (left_ms is not None and left_ms <= 0):
                return None
            if balance != tried:  # else nothing was set free meanwhile
                reserve = partial(accounts.reserve, after, terms, can_wait=True)
                if (reservation := await in_thread(reserve)) is not None:
                    return reservation
                if tried is None:
                    counted.enter_context(waiting_calls.waiting(allowance.ledger, balance))
                tried = balance
            with suppress(TimeoutError):
                await asyncio.wait_for(abandoned.wait(), LOOK_AGAIN_S)
            if abandoned.is_set():
                raise CallAbandoned

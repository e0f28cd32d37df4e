"""Waits for what other calls hold, as long as the caller allows and time lasts.

Nobody is told when a reservation is settled, which may happen in another process: a waiting call
looks again and again at the balance, and tries only when that has changed. There is no queue; of
those who wait, whoever looks first takes what came back.
"""

import asyncio
import time
from contextlib import suppress
from functools import partial

from thrifty.budget import Budget
from thrifty.budget.clock import NANO_PER_MS
from thrifty.ledger.protocol import Entry
from thrifty.models.allowance import Allowance
from thrifty.models.background_loop import BackgroundLoop, CallAbandoned
from thrifty.models.reservation import CallAccounts, Reservation

LOOK_AGAIN_S = 0.02
"""Short beside what any call takes."""


async def wait_for_budget(
    accounts: CallAccounts, after: Entry | None, loop: BackgroundLoop, abandoned: asyncio.Event
) -> Reservation | None:
    """A reservation for the longest answer, or None where the wait or the time is over before.

    Args:
        accounts: where the call is booked; its allowance says how long it may wait.
        after: the entry of an earlier attempt that was charged.
        loop: the background loop, on which this runs.
        abandoned: is set when nobody waits any more.

    Raises:
        CallAbandoned: nobody waits any more.
    """
    started_ns, tried = time.monotonic_ns(), None
    while True:
        balance = await loop.in_thread(accounts.balance)
        if not _has_time(accounts.allowance, started_ns, balance.budget):
            return None
        if balance != tried:
            reserve = partial(accounts.reserve, after, can_wait=True)
            if (reservation := await loop.in_thread(reserve)) is not None:
                return reservation
            tried = balance
        with suppress(TimeoutError):
            await asyncio.wait_for(abandoned.wait(), LOOK_AGAIN_S)
        if abandoned.is_set():
            raise CallAbandoned


def _has_time(allowance: Allowance, started_ns: int, limits: Budget) -> bool:
    if time.monotonic_ns() - started_ns >= allowance.patience_ms * NANO_PER_MS:
        return False
    left_ms = allowance.left_ms(limits)
    return left_ms is None or left_ms > 0

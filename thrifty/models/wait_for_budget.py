"""Waits for what other calls hold, as long as the caller allows and time lasts.

Nobody is told when a reservation is settled, which may happen in another process: a waiting call
looks again and again at the balance, and tries only when that has changed. There is no queue; of
those who wait, whoever looks first takes what came back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from thrifty.budget import Budget
from thrifty.budget.clock import NANO_PER_MS
from thrifty.ledger.protocol import Balance
from thrifty.models.allowance import Allowance
from thrifty.models.background_loop import CallAbandoned

T = TypeVar("T")

LOOK_AGAIN_S = 0.02
"""Short beside what any call takes."""


async def wait_for_budget(
    allowance: Allowance,
    abandoned: asyncio.Event,
    look: Callable[[], Awaitable[Balance]],
    attempt: Callable[[], Awaitable[T | None]],
) -> T | None:
    """What an attempt brought, or None where the wait or the time came to an end before.

    Args:
        allowance: it says how much of both there is.
        abandoned: is set when nobody waits any more.
        look: where the account stands.
        attempt: None asks to be tried again once that has changed.

    Raises:
        CallAbandoned: nobody waits any more.
    """
    started_ns, seen = time.monotonic_ns(), None
    while True:
        balance = await look()
        if not _has_time(allowance, started_ns, balance.budget):
            return None
        if balance != seen:
            if (brought := await attempt()) is not None:
                return brought
            seen = balance
        with suppress(TimeoutError):
            await asyncio.wait_for(abandoned.wait(), LOOK_AGAIN_S)
        if abandoned.is_set():
            raise CallAbandoned


def _has_time(allowance: Allowance, started_ns: int, limits: Budget) -> bool:
    if time.monotonic_ns() - started_ns >= allowance.patience_ms * NANO_PER_MS:
        return False
    left_ms = allowance.left_ms(limits)
    return left_ms is None or left_ms > 0

"""What nearly every test of a ledger begins with."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from thrifty.budget import Budget, BudgetExceeded, Spend
from thrifty.ledger.protocol import Ledger

CALL = Spend(tokens=500, cost_nano_usd=900, latency_ms=0, tool_calls=1)
"""The worst case of a call."""
USED = Spend(tokens=300, cost_nano_usd=600, latency_ms=20, tool_calls=1)
"""What it then really used."""


def called(ledger: Ledger, *keys: str) -> None:
    """Reserves calls in an account `run` that has room for them."""
    ledger.open("run", Budget(max_tokens=10_000, max_cost_usd=1, max_tool_calls=20))
    for key in keys:
        ledger.reserve("run", key, "Outline", CALL)


def left(ledger: Ledger, account: str) -> tuple[int | None, int | None, int | None]:
    """What may still be reserved of tokens, nano-USD and calls."""
    tokens, cost, _, calls = ledger.balance(account).left.limits
    return tokens, cost, calls


def ms_of(local: str, zone: str = "UTC") -> int:
    """A local time, in milliseconds since 1970."""
    return round(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def used(ledger: Ledger, account: str) -> dict[tuple[str, str], tuple[int, int]]:
    """The tokens spent and reserved now in each period of an account and of those above it."""
    return {
        (each.account, each.period): (each.spent.tokens, each.reserved.tokens)
        for each in ledger.balance(account).periods
    }


def refused(ledger: Ledger, account: str, tokens: int) -> tuple[str, str, int | None]:
    """The account and the period that refuse a call, and by how many tokens it is too large."""
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.reserve(account, "refused", "Outline", Spend(tokens))
    assert ledger.entry(account, "refused") is None
    return refusal.value.account, refusal.value.period, refusal.value.missing.get("tokens")

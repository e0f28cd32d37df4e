"""What nearly every test of a ledger begins with."""

from thrifty.budget import Budget, Spend
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

"""What does not hold in the ledger once a run has ended, after whatever happened to it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.harness.crash.life import TREE
from tests.harness.ledger_address import open_ledger
from tests.harness.llm_server import LLMServer
from thrifty.budget import Spend
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import Balance, Entry

ACCOUNTS = (
    "run:local/account=team/thread=t/run=1",
    "run:local/account=team/thread=t/in=writer/named=part%201",
    "run:local/account=team/thread=t/in=writer/named=part%202",
)
"""What runs of the shapes are called."""

WINDOW_MS = {"hour": 3_600_000, "day": 86_400_000}
"""How long the windows of the accounts above the runs are, which count in UTC."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended, and what can be known of it from outside."""

    result: dict[str, Any]
    ledger: str
    server: LLMServer
    in_doubt_max: int
    """How many calls may have been on their way in all the accidents."""

    def wrong(self) -> Iterator[str]:
        """What breaks a promise."""
        if self.result.get("status") not in ("done", "halted"):
            yield f"it ended with {self.result}"
            return
        if not self.result["draft"]:
            yield "it has no draft"
        ledger = open_ledger(self.ledger)
        books = {name: found for name in ACCOUNTS if (found := _look(ledger, name))}
        above = {name: ledger.balance(name) for name in TREE}
        ledger.disconnect()
        for name, (balance, entries) in books.items():
            yield from _wrong_in(name, balance, entries)
        entries = [entry for _, mine in books.values() for entry in mine]
        for name, balance in above.items():
            yield from _wrong_above(name, balance, entries)
        yield from self._wrong_with_the_provider(entries)

    def _wrong_with_the_provider(self, entries: list[Entry]) -> Iterator[str]:
        """What the server saw and billed, held against the ledger."""
        lost = [entry for entry in entries if entry.status == "in_doubt"]
        paid = [entry for entry in entries if entry.status == "settled"]
        requests, bill = self.server.requests, self.server.bill
        if len(lost) > self.in_doubt_max:
            yield f"{len(lost)} calls are in doubt, of {self.in_doubt_max} that can be"
        if sum(entry.charged.tokens for entry in entries) < bill.total_tokens:
            yield f"the provider billed {bill.total_tokens} tokens, more than the ledger knows"
        if sum(e.charged.tokens for e in paid) > bill.total_tokens:
            yield f"settled for more than the provider billed: {bill.total_tokens} tokens"
        if len(requests) > len([e for e in (*lost, *paid) if e.charged.tokens]):
            yield f"{len(requests)} requests were sent, more than were reserved: {entries}"
        again = len(requests) - len({request.prompt for request in requests})
        if again > len(lost):
            yield f"{again} answers were paid again, with {len(lost)} calls in doubt"


def _look(ledger: Ledger, name: str) -> tuple[Balance, tuple[Entry, ...]] | None:
    try:
        return ledger.balance(name), ledger.entries(name)
    except KeyError:
        return None


def _wrong_in(name: str, balance: Balance, entries: tuple[Entry, ...]) -> Iterator[str]:
    """What is wrong in one account; that its counters are sums, `entries` has checked."""
    if balance.reserved != Spend() or any(entry.is_open for entry in entries):
        yield f"{name} still holds {balance.reserved}"
    if balance.budget.without_latency().exceeded_by(balance.spent):
        yield f"{name} is over: {balance.spent}"
    if max(Counter(entry.key for entry in entries).values(), default=1) > 1:
        yield f"{name} books a key twice"


def _wrong_above(name: str, balance: Balance, below: list[Entry]) -> Iterator[str]:
    """What is wrong in an account that pays for runs, and in its windows."""
    for window in balance.periods:
        began_ms = 0
        if window.resets_at_ms is not None:
            began_ms = window.resets_at_ms - WINDOW_MS[window.period]
        charged = sum(entry.charged.tokens for entry in below if entry.at_ms >= began_ms)
        if window.reserved != Spend() or window.spent.tokens != charged:
            yield f"{name}: {charged} tokens were charged below it, not as {window!r} says"

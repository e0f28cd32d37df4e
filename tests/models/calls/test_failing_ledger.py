"""A ledger that fails once, before a write or after it, in a process that lives on.

Whatever act it fails at: with the next call nothing is open any more, and the books have what the
server has billed.
"""

import pytest
from langchain_openai import ChatOpenAI

from tests.harness.llm_server import Answer, LLMServer, MissingUsage, Unauthorized
from thrifty import Budget, MemoryLedger, Spend, metered
from thrifty.budget import LedgerUnavailable, ThriftyError

ACTS = ("reserve", "mark_sent", "settle", "charge_in_full", "release")


class FailsOnce:
    """A storage that fails at the n-th write from now on.

    Args:
        storage: the real one.
        is_written: whether the write goes through, and only its end is not told.
    """

    def __init__(self, storage, is_written):
        self.storage, self.is_written = storage, is_written
        self.writes_left = None

    def write(self, work, call=None):
        if self.writes_left is None:
            return self.storage.write(work, call)
        self.writes_left -= 1
        if self.writes_left > 0:
            return self.storage.write(work, call)
        self.writes_left = None
        if self.is_written:
            self.storage.write(work, call)
        raise LedgerUnavailable("the disk failed")

    def read(self, work, *, is_single=False):
        return self.storage.read(work, is_single=is_single)


@pytest.fixture
def server():
    with LLMServer() as running:
        yield running


@pytest.mark.parametrize("is_written", [False, True], ids=["before the write", "after the write"])
@pytest.mark.parametrize("act", ACTS)
def test_nothing_stays_open(server, act, is_written):
    ledger = MemoryLedger()
    ledger.open("team", Budget(max_tokens=10_000))
    storage = ledger._storage = FailsOnce(ledger._storage, is_written)
    model = ChatOpenAI(model="gpt-5-mini", base_url=server.base_url, api_key="k")
    held = metered(model, ledger, "team", max_output_tokens=200)

    server.script(
        {"charge_in_full": MissingUsage(), "release": Unauthorized()}.get(act, Answer("Yes."))
    )
    # A call is reserved, marked as sent, and then closed in one of three ways.
    storage.writes_left = min(ACTS.index(act), 2) + 1
    try:
        held.invoke("Is it so?")
    except ThriftyError:
        assert act in ("reserve", "mark_sent", "release")

    server.script(Answer("Yes, still."))
    assert held.invoke("And now?").text.startswith("Yes")
    statuses = [entry.status for entry in ledger.entries("team")]
    assert not {"unsent", "pending"} & {*statuses}, statuses
    balance = ledger.balance("team")
    assert balance.reserved == Spend()
    assert balance.spent.tokens >= server.bill.total_tokens
    if act == "settle":
        assert balance.spent.tokens == server.bill.total_tokens

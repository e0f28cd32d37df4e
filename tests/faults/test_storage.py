"""A disk that fails in the middle of a run: before a call none is made, after it none is lost."""

import sqlite3
from contextlib import contextmanager

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.faults.conftest import ASKED, RUN, THREAD, TOKENS, answer, catalog
from tests.graph.conftest import TUTORIAL_BUDGET, receipt_of
from tests.llm_server import Answer
from thrifty import Settings, Spend, SqliteLedger, create_budget_agent
from thrifty.budget import LedgerUnavailable


class Disk:
    """A file that somebody else can lock, so that for the ledger it cannot be written."""

    def __init__(self, path):
        self.path = path
        self._other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def fail(self):
        self._other.execute("BEGIN IMMEDIATE")

    def recover(self):
        self._other.rollback()

    @contextmanager
    def failing(self):
        self.fail()
        try:
            yield
        finally:
            self.recover()


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path / "ledger.sqlite")


class FailsToSettle(SqliteLedger):
    """The real ledger, whose disk fails whenever something is settled."""

    def __init__(self, disk):
        super().__init__(disk.path, busy_ms=20)
        self._disk = disk

    def settle(self, *given, **named):
        with self._disk.failing():
            return super().settle(*given, **named)


def agent_with(ledger, executor=answer, **given):
    return create_budget_agent(
        settings=Settings(),
        ledger=ledger,
        catalog=catalog(),
        executors={"mine": executor},
        checkpointer=InMemorySaver(),
        **given,
    )


def test_no_call_is_made_that_cannot_be_reserved(disk):
    """The disk fails while the first step works: the second is not begun."""
    called = []

    def last_before_the_failure(work):
        called.append(work.option.name)
        if called == ["A"]:
            disk.fail()
        return answer(work)

    ledger = SqliteLedger(disk.path, busy_ms=20)
    agent = agent_with(ledger, last_before_the_failure)
    with pytest.raises(LedgerUnavailable, match="check that its disk has room"):
        agent.invoke(ASKED, THREAD)
    assert called == ["A"]
    disk.recover()
    result = agent.invoke(None, THREAD)
    assert called == ["A", "B"]
    assert receipt_of(result).spent.tokens == 10 + TOKENS  # what could not be settled, in full
    assert ledger.balance(RUN).reserved == Spend()


def test_what_is_answered_and_cannot_be_settled_is_kept_and_charged_in_full(disk, caplog):
    ledger = FailsToSettle(disk)
    result = agent_with(ledger).invoke(ASKED, THREAD)
    assert result["draft"].count("text") == 2
    assert receipt_of(result).spent.tokens == 20 == ledger.balance(RUN).spent.tokens
    assert caplog.text.count("stays reserved in full") == 2


def test_a_models_answer_that_cannot_be_settled_is_kept_and_charged_in_full(disk, server, caplog):
    server.script(Answer("The answer that was paid for. " * 9, times=None))
    settings = Settings(api_key="k", base_url=server.base_url, api="chat")
    ledger = FailsToSettle(disk)
    agent = create_budget_agent(settings=settings, ledger=ledger)
    result = agent.invoke({"task": "Plan a tea party", "budget": TUTORIAL_BUDGET})
    receipt = receipt_of(result)
    assert "The answer that was paid for." in result["draft"]
    assert server.bill.total_tokens < receipt.spent.tokens <= 2200
    assert {entry.status for entry in ledger.entries(receipt.run_id)} == {"in_doubt"}
    assert "stays reserved in full" in caplog.text


def test_a_run_whose_disk_stays_broken_still_ends_with_what_it_has(disk):
    """From the last answer on, nothing can be written any more: the receipt counts what is held."""

    def last(work):
        if work.option.name == "B":
            disk.fail()
        return answer(work)

    result = agent_with(SqliteLedger(disk.path, busy_ms=20), last).invoke(ASKED, THREAD)
    assert result["draft"].count("text") == 2
    assert receipt_of(result).spent.tokens == TOKENS + 10
    disk.recover()

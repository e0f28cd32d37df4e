"""A disk that fails in the middle of a run: before a call none is made, after it none is lost."""

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.graph.conftest import receipt_of
from tests.graph.faults.conftest import ASKED, RUN, THREAD, TOKENS, answer, catalog
from tests.harness.failing_disks import DISKS, Disk
from tests.harness.llm_server import Answer, MissingUsage
from thrifty import MemoryLedger, Result, Settings, Spend, SqliteLedger, create_budget_agent
from thrifty.budget import LedgerUnavailable

BUDGET = {"max_tokens": 2200, "max_tool_calls": 2}


@pytest.fixture(params=DISKS)
def disk(request, tmp_path):
    return Disk(tmp_path / "ledger.sqlite", DISKS[request.param])


def failing_to(act, disk):
    """The real ledger, whose disk fails whenever it is to do this."""
    do = getattr(disk.ledger, act)

    def fails(*given, **named):
        with disk.failing():
            return do(*given, **named)

    setattr(disk.ledger, act, fails)
    return disk.ledger


def agent_with(ledger, executor=answer, **given):
    return create_budget_agent(
        settings=Settings(),
        ledger=ledger,
        catalog=catalog(),
        executors={"mine": executor},
        **{"checkpointer": InMemorySaver(), **given},
    )


def test_no_call_is_made_that_cannot_be_reserved(disk):
    """The disk fails while the first step works: the second is not begun."""
    called = []

    def last_before_the_failure(work):
        called.append(work.option.name)
        if called == ["A"]:
            disk.fail()
        return answer(work)

    ledger = disk.ledger
    agent = agent_with(ledger, last_before_the_failure)
    with pytest.raises(LedgerUnavailable, match="check that its disk has room"):
        agent.invoke(ASKED, THREAD)
    assert called == ["A"]
    disk.recover()
    result = agent.invoke(None, THREAD)
    assert called == ["A", "B"]
    assert receipt_of(result).spent.tokens == 10  # what could not be settled then is settled now
    assert ledger.balance(RUN).reserved == Spend()


def test_what_is_answered_and_cannot_be_settled_is_kept_and_settled_later(disk, caplog):
    ledger = failing_to("settle", disk)
    result = agent_with(ledger).invoke(ASKED, THREAD)
    assert result["draft"].count("text") == 2
    assert receipt_of(result).spent.tokens == 10 == ledger.balance(RUN).spent.tokens
    assert {entry.status for entry in ledger.entries(RUN)} == {"settled"}
    assert caplog.text.count("stays reserved until") == 2


def test_what_was_more_than_allowed_is_told_though_it_could_not_be_settled_at_once(disk):
    """The last step's bill is written when the run closes its account."""
    over = Result("text", spend=Spend(2 * TOKENS + 1, 0, 0, 1))

    def last(work):
        return over if work.option.name == "B" else answer(work)

    result = agent_with(failing_to("settle", disk), last).invoke(ASKED, THREAD)
    told = "'B' used 1 token more than it was allowed"
    assert any(told in each for each in result["receipt"]["warnings"])


def test_a_models_answer_that_cannot_be_settled_is_kept_and_settled_later(disk, server, caplog):
    server.script(Answer("The answer that was paid for. " * 9, times=None))
    settings = Settings(api_key="k", base_url=server.base_url, api="chat")
    ledger = failing_to("settle", disk)
    agent = create_budget_agent(settings=settings, ledger=ledger)
    result = agent.invoke({"task": "Plan a tea party", "budget": BUDGET})
    receipt = receipt_of(result)
    kept = [entry.answer for entry in ledger.entries(receipt.run_id)]
    assert any("The answer that was paid for." in answer for answer in kept)
    assert server.bill.total_tokens == receipt.spent.tokens
    assert {entry.status for entry in ledger.entries(receipt.run_id)} == {"settled"}
    assert "stays reserved until" in caplog.text


def test_a_run_whose_disk_stays_broken_still_ends_with_what_it_has(disk):
    """From the last answer on, nothing can be written any more: the receipt counts what is held."""

    def last(work):
        if work.option.name == "B":
            disk.fail()
        return answer(work)

    result = agent_with(disk.ledger, last).invoke(ASKED, THREAD)
    assert result["draft"].count("text") == 2
    assert receipt_of(result).spent.tokens == TOKENS + 10
    disk.recover()


def online_at(server, ledger):
    settings = Settings(api_key="k", base_url=server.base_url, api="chat")
    return create_budget_agent(settings=settings, ledger=ledger, checkpointer=InMemorySaver())


def test_an_answer_without_a_bill_is_kept_though_it_cannot_be_charged(disk, server, caplog):
    """Nobody knows what it cost, and the disk fails as it is to be charged in full."""
    server.script(MissingUsage(times=None))
    agent = online_at(server, failing_to("charge_in_full", disk))
    result = agent.invoke({"task": "Plan a tea party", "budget": BUDGET}, THREAD)
    done = [line for line in receipt_of(result).lines if line.status == "done"]
    assert "llm" in {line.executor for line in done}
    assert server.bill.total_tokens < receipt_of(result).spent.tokens <= 2200
    assert "stays reserved until" in caplog.text


class AnswersLate(MemoryLedger):
    """Does once more what it was told to, as a database that lost its connection meanwhile."""

    def __init__(self):
        super().__init__()
        self.late = 1

    def mark_sent(self, account, key):
        entry = super().mark_sent(account, key)
        if not self.late:
            return entry
        self.late -= 1
        return super().mark_sent(account, key)


def test_a_call_that_may_not_be_ours_to_send_is_not_sent_and_charged(server):
    """Another attempt is made under another key, if there is money for it."""
    ledger = AnswersLate()
    server.script(Answer("What was written. " * 40, times=None))
    budget = {"max_tokens": 20_000, "max_tool_calls": 4}
    asked = {"task": "Plan a tea party", "budget": budget}
    result = online_at(server, ledger).invoke(asked, THREAD, context={"propose_options": False})
    entries = ledger.entries(receipt_of(result).run_id)
    (lost,) = [entry for entry in entries if entry.status == "in_doubt"]
    sent = [entry for entry in entries if entry.status == "settled" and entry.charged.tokens]
    assert len(sent) == len(server.requests)
    assert receipt_of(result).spent.tokens == server.bill.total_tokens + lost.charged.tokens
    assert result["status"] == "done"


def test_work_that_may_not_be_ours_to_do_is_not_done_and_charged():
    called = []
    ledger = AnswersLate()
    agent = agent_with(ledger, lambda work: called.append(work.option.name) or answer(work))
    result = agent.invoke(ASKED, THREAD)
    assert called == ["B"]
    assert receipt_of(result).spent.tokens == 10 + TOKENS


def test_a_run_whose_ledger_is_lost_is_refused(tmp_path):
    """It does not begin anew with all of its budget."""
    path, saver = tmp_path / "ledger.sqlite", InMemorySaver()
    ledger = SqliteLedger(path)
    agent = agent_with(ledger, checkpointer=saver)
    agent.invoke(ASKED, THREAD, interrupt_before=["check_spend"])
    ledger.disconnect()
    path.unlink()
    with pytest.raises(LedgerUnavailable, match=f"knows nothing of the run '{RUN}'"):
        agent.invoke(None, THREAD)


def test_a_run_that_could_not_be_given_back_can_be_begun_again_in_the_same_process(disk):
    """Its thread was lost as well; who asks anew, with more, finds its account."""
    ledger = failing_to("give_back", disk)
    agent = agent_with(ledger)
    assert agent.invoke(ASKED, THREAD)["status"] == "done"
    assert ledger.owner_of(RUN)
    del ledger.give_back  # it is mended
    agent.checkpointer.delete_thread(THREAD["configurable"]["thread_id"])
    more = {**ASKED, "budget": {"max_tokens": 5_000}}
    assert agent.invoke(more, THREAD)["status"] == "done"
    assert ledger.owner_of(RUN) == ""

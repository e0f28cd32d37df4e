"""Runs that share an account: each takes its budget out of it, and gives back what is unused."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.graph.conftest import TASK, receipt_of
from thrifty import Budget, InvalidInput, Result, Spend, Step, StepOption
from thrifty.budget import ReservationClosed
from thrifty.ledger.owner import process_name


@pytest.fixture
def sharing(offline, ledger):
    """Makes an agent whose one step uses 40 of the 60 tokens it is estimated at."""

    def work(work):
        return Result("text", Spend(40, 0, 0, 1))

    option = StepOption("A", "A", "mine", "does A", Spend(60, 0, 9, 1), 5.0)

    def make(account="team", executor=work, **given):
        given |= {"executors": {"mine": executor}, "account": account}
        return offline(catalog=[Step("A", (option,))], **given)

    return make


def asked(tokens=100):
    return {"task": TASK, "budget": {"max_tokens": tokens}}


def test_what_a_run_spends_and_what_it_gives_back(sharing, ledger):
    ledger.open("team", Budget(max_tokens=250, max_tool_calls=9))
    seen = []

    def look(work):
        seen.append(ledger.balance("team").reserved.tokens)
        return Result("text", Spend(40, 0, 0, 1))

    receipt = receipt_of(sharing(executor=look).invoke(asked()))
    assert receipt.status == "done"
    assert seen == [100]
    balance = ledger.balance("team")
    assert (balance.spent.tokens, balance.reserved.tokens) == (40, 0)
    assert balance.spent.tool_calls == 1


def test_a_run_gets_what_is_left_and_then_nothing(sharing, ledger):
    ledger.open("team", Budget(max_tokens=110))
    agent = sharing()
    receipts = [receipt_of(agent.invoke(asked())) for _ in range(3)]
    assert [receipt.budget.max_tokens for receipt in receipts] == [100, 70, 30]
    assert [receipt.status for receipt in receipts] == ["done", "done", "halted"]
    assert ledger.balance("team").spent.tokens == 80


def test_a_run_that_goes_back_to_before_its_end_has_the_same_receipt(sharing, ledger):
    ledger.open("team", Budget(max_tokens=250))
    agent = sharing(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "t"}}
    first = agent.invoke(asked(), thread)
    (back,) = (s.config for s in agent.get_state_history(thread) if s.next == ("finish",))
    again = receipt_of(agent.invoke(None, back))
    assert again.budget == receipt_of(first).budget == Budget(max_tokens=100)
    assert again.spent.tokens == ledger.balance("team").spent.tokens == 40


def test_many_at_once_never_spend_more_than_they_share(sharing, ledger):
    ledger.open("team", Budget(max_tokens=1_000, max_tool_calls=18))
    agent = sharing()
    with ThreadPoolExecutor(16) as pool:
        given = {**asked(), "budget": {"max_tokens": 100, "max_tool_calls": 1}}
        receipts = [receipt_of(r) for r in pool.map(lambda _: agent.invoke(given), range(50))]
    balance = ledger.balance("team")
    done = sum(receipt.status == "done" for receipt in receipts)
    assert balance.spent.tokens == 40 * done <= 1_000
    assert balance.spent.tool_calls == done <= 18
    assert done >= 10  # so many have a share at once
    assert balance.reserved == Spend()


def test_an_account_that_nobody_opened_is_refused(sharing):
    with pytest.raises(InvalidInput, match=r"account: got 'team'; open it first"):
        sharing().invoke(asked())


def test_the_account_can_follow_from_the_configuration(sharing, ledger):
    for user in ("ann", "bob"):
        ledger.open(f"user {user}", Budget(max_tokens=500))
    agent = sharing(account=lambda config: f"user {config['configurable']['user']}")
    agent.invoke(asked(), {"configurable": {"user": "bob"}})
    assert ledger.balance("user ann").spent.tokens == 0
    assert ledger.balance("user bob").spent.tokens == 40


def test_what_a_killed_run_held_is_given_back_when_it_is_needed(sharing, ledger):
    """What it had spent, and what it left open, stays on the bill."""
    ledger.open("team", Budget(max_tokens=150))
    ledger.grant("team", "killed", Budget(max_tokens=90))
    home = process_name().partition("[")[2].partition(" ")[0]
    lease = ledger.take("killed", f"pid 999999999 on here [{home} 1]")
    ledger.reserve(lease, "k", "a call", Spend(20))
    ledger.grant("team", "waiting", Budget(max_tokens=10))  # held by nobody: kept
    receipt = receipt_of(sharing().invoke(asked()))
    assert receipt.budget.max_tokens == 100
    assert ledger.balance("team").spent.tokens == 20 + 40
    assert ledger.balance("team").reserved.tokens == 10


def test_a_run_that_has_ended_has_nothing_more_to_spend(sharing, ledger):
    ledger.open("team", Budget(max_tokens=250))
    run = receipt_of(sharing().invoke(asked())).run_id
    with pytest.raises(ReservationClosed):
        ledger.extend(run, Budget(max_tokens=200))

"""Runs that share an account: it is a ceiling for them all, and sets nothing aside for any."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.graph.conftest import TASK, receipt_of
from tests.ledger.conftest import Clock
from thrifty import Budget, InvalidInput, MemoryLedger, Result, Spend, Step, StepOption
from thrifty.ledger.owner import process_name


@pytest.fixture
def sharing(offline, ledger):
    """Makes an agent whose one step uses 40 of the 60 tokens it is estimated at."""

    def work(work):
        return Result("text", spend=Spend(40, 0, 0, 1))

    option = StepOption("A", "A", "mine", "does A", Spend(60, 0, 9, 1), 5.0)

    def make(account="team", executor=work, **given):
        given |= {"executors": {"mine": executor}, "account": account}
        return offline(catalog=[Step("A", (option,))], **given)

    return make


def asked(tokens=100):
    return {"task": TASK, "budget": {"max_tokens": tokens}}


def test_a_run_sets_nothing_aside(sharing, ledger):
    """Of the account above it, only what its open calls may cost is held."""
    ledger.open("team", Budget(max_tokens=250, max_tool_calls=9))
    seen = []

    def look(work):
        seen.append(ledger.balance("team").reserved.tokens)
        return Result("text", spend=Spend(40, 0, 0, 1))

    receipt = receipt_of(sharing(executor=look).invoke(asked()))
    assert receipt.status == "done"
    assert seen == [60]
    balance = ledger.balance("team")
    assert (balance.spent.tokens, balance.reserved.tokens) == (40, 0)
    assert balance.spent.tool_calls == 1


def test_three_runs_that_may_each_spend_half_of_an_account_all_work(sharing, ledger):
    ledger.open("team", Budget(max_tokens=200))
    all_there = Barrier(3)

    def work(work):
        all_there.wait(60)
        return Result("text", spend=Spend(40, 0, 0, 1))

    agent = sharing(executor=work)
    with ThreadPoolExecutor(3) as pool:
        receipts = [receipt_of(r) for r in pool.map(lambda _: agent.invoke(asked()), range(3))]
    assert [receipt.status for receipt in receipts] == ["done"] * 3
    assert ledger.balance("team").spent.tokens == 3 * 40


def test_a_run_that_finds_too_little_ends_and_says_whose_limit_it_was(sharing):
    clock = Clock()
    ledger = MemoryLedger(clock)
    ledger.open("team", {"day": "110 tokens"}, zone="Europe/Berlin")
    agent = sharing(ledger=ledger)
    receipts = [receipt_of(agent.invoke(asked())) for _ in range(3)]
    assert [receipt.status for receipt in receipts] == ["done", "done", "halted"]
    last = receipts[-1]
    assert last.budget.max_tokens == 100  # what the run itself was given
    left = "team has 30 tokens left this day; it resets at 00:00 (Europe/Berlin)"
    assert last.bound_by_accounts == (left,)
    assert left in last.halt_reason
    assert ledger.balance("team").spent.tokens == 80
    clock.ms += 24 * 3_600_000
    assert receipt_of(agent.invoke(asked())).status == "done"


@pytest.fixture
def in_two_steps(offline, ledger):
    """Makes an agent with two steps, the second of which can be done in the ways that are named."""

    def make(work, *ways):
        costs = {"dear": (60, 5.0), "cheap": (20, 3.0)}
        first = Step("A", (StepOption("A", "A", "mine", "first", Spend(60, 0, 9, 1), 9.0),))
        second = [
            StepOption(
                f"B {way}", "B", "mine", "second", Spend(costs[way][0], 0, 9, 1), costs[way][1]
            )
            for way in ways
        ]
        steps = [first, Step("B", tuple(second), requires=("A",))]
        return offline(catalog=steps, executors={"mine": work}, account="team")

    return make


def of_somebody_else(ledger, tokens):
    ledger.reserve("team", "other", "somebody else's", Spend(tokens))


def test_what_others_spend_between_two_steps_is_drift(in_two_steps, ledger):
    """The run is planned anew with what the account has left."""
    ledger.open("team", Budget(max_tokens=200))

    def work(work):
        if work.option.name == "A":
            of_somebody_else(ledger, 130)
        return Result("text", spend=Spend(15, 0, 0, 1))

    receipt = receipt_of(in_two_steps(work, "dear", "cheap").invoke(asked(200)))
    done = [line.label for line in receipt.lines if line.status == "done"]
    assert (receipt.status, done) == ("done", ["A", "B cheap"])
    assert receipt.bound_by_accounts == ("team has 40 tokens left",)


def test_what_others_give_back_before_the_end_kept_something_out_all_the_same(in_two_steps, ledger):
    ledger.open("team", Budget(max_tokens=200))
    of_somebody_else(ledger, 110)

    def work(work):
        if work.option.name == "B cheap":
            ledger.release("team", "other")
        return Result("text", spend=Spend(50 if work.option.name == "A" else 15, 0, 0, 1))

    receipt = receipt_of(in_two_steps(work, "dear", "cheap").invoke(asked(150)))
    done = [line.label for line in receipt.lines if line.status == "done"]
    assert done == ["A", "B cheap"]
    assert receipt.bound_by == ("tokens",)
    assert receipt.bound_by_accounts == ("team has 90 tokens left",)


@pytest.mark.parametrize(
    ("ways", "done"), [(("dear", "cheap"), ["A", "B cheap"]), (("dear",), ["A"])]
)
def test_what_others_take_at_the_moment_of_a_reservation_is_drift(
    in_two_steps, ledger, monkeypatch, ways, done
):
    """Another way is taken, or the step is left out. It is not tried in a circle."""
    ledger.open("team", Budget(max_tokens=200))
    reserve, asked_for = ledger.reserve, []

    def reserve_too_late(account, key, label, *given, **named):
        asked_for.append(label)
        if label == "B dear":
            of_somebody_else(ledger, 130)
        return reserve(account, key, label, *given, **named)

    agent = in_two_steps(lambda work: Result("text", spend=Spend(15, 0, 0, 1)), *ways)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(ledger, "reserve", reserve_too_late)
        receipt = receipt_of(agent.invoke(asked(200)))
    assert [line.label for line in receipt.lines if line.status == "done"] == done
    assert asked_for.count("B dear") == 1
    assert "5 tokens short in team" in receipt.decisions[-1].reason


@pytest.mark.parametrize("leave", ["break", "raise"])
def test_who_stops_reading_leaves_nothing_reserved(sharing, ledger, leave):
    ledger.open("team", Budget(max_tokens=1_000))
    agent = sharing(checkpointer=InMemorySaver())
    for number in range(5):
        thread = {"configurable": {"thread_id": str(number)}}
        with suppress(RuntimeError):
            for part in agent.stream(asked(), thread, stream_mode="updates"):
                if "route" in part and leave == "break":
                    break
                if "route" in part:
                    raise RuntimeError
    assert ledger.balance("team").reserved == Spend()
    assert ledger.balance("team").left.max_tokens == 1_000


def test_a_run_that_waits_holds_nothing(sharing, ledger):
    """Nor does it when its thread is deleted, so that nobody can ever answer."""
    ledger.open("team", Budget(max_tokens=100))
    saver = InMemorySaver()
    agent = sharing(checkpointer=saver)
    thread = {"configurable": {"thread_id": "t"}}
    result = agent.invoke(asked(), thread, context={"approve_plan": True})
    assert "__interrupt__" in result
    saver.delete_thread("t")
    assert ledger.balance("team").left.max_tokens == 100
    assert receipt_of(sharing().invoke(asked())).status == "done"


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
    assert done == 18  # none is refused while the account has room
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


def test_what_a_killed_run_left_open_is_closed_when_its_room_is_needed(
    sharing, ledger, monkeypatch
):
    """What was never sent is free again, and what may have been sent is charged in full."""
    ledger.open("team", Budget(max_tokens=150))
    home = process_name().partition("[")[2].partition(" ")[0]
    gone = f"pid 999999999 on here [{home} 1]"
    with monkeypatch.context() as in_another_process:
        in_another_process.setattr("thrifty.ledger.base_ledger.process_name", lambda: gone)
        ledger.open("killed", Budget(max_tokens=90), parent="team")
        ledger.reserve("killed", "sent", "a call", Spend(20))
        ledger.reserve("killed", "unsent", "a call", Spend(70), unsent=True)
    receipt = receipt_of(sharing().invoke(asked()))
    assert receipt.status == "done"
    assert ledger.balance("team").spent.tokens == 20 + 40
    assert ledger.balance("team").reserved == Spend()


def test_the_payer_of_a_run_is_asked_for_once_as_it_opens(offline, ledger):
    """Else it could stand below one account and be named after another."""
    asked = []

    def payer(config):
        asked.append(config)
        return "before midnight" if len(asked) == 1 else "after midnight"

    for account in ("before midnight", "after midnight"):
        ledger.open(account, Budget())
    with suppress(KeyError):  # the next node asks for a run of another account
        offline(account=payer).invoke({"task": "Draft a proposal", "budget": {"max_tokens": 900}})
    runs = [info for info in ledger.accounts() if info.parent]
    assert [(info.parent, "before" in info.name) for info in runs] == [("before midnight", True)]

"""The account of a step: what its calls may use together, here and in the step around it."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from thrifty import Budget, BudgetExceeded, MemoryLedger, Spend, StepEnded
from thrifty.models.calls.current_account import current_account, enclosing_account, use_account
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.guard.agent_account import AgentAccount

CALL = Spend(tokens=100, cost_nano_usd=50, tool_calls=1)
USED = Spend(tokens=30, cost_nano_usd=20, latency_ms=7, tool_calls=1)


def two_steps(**limits: int) -> tuple[StepAccount, StepAccount]:
    """One in which a step runs, and that of a step in it, with these limits of its own."""
    outer = StepAccount(Budget(max_tokens=250, max_tool_calls=9))
    return outer, StepAccount(Budget(**limits), parent=outer)


def calls_of(step: StepAccount) -> list[tuple[str, str, Spend]]:
    return [(e.label, e.status, e.charged) for e in step.ledger.entries(step.account)]


def test_what_is_reserved_inside_is_reserved_around():
    outer, step = two_steps(max_tokens=120)
    step.reserve("a model", CALL)
    assert calls_of(step) == calls_of(outer) == [("a model", "pending", Spend())]
    assert (step.left.max_tokens, outer.left.max_tokens) == (20, 150)
    assert step.left.max_tool_calls == 8


def test_the_tightest_limit_counts_wherever_it_is():
    outer, step = two_steps(max_tokens=1_000)
    assert step.budget == Budget(max_tokens=250, max_tool_calls=9)
    assert step.left == step.budget
    outer.reserve("another", CALL)
    assert step.left == Budget(max_tokens=150, max_tool_calls=8)
    assert step.budget == Budget(max_tokens=250, max_tool_calls=9)
    assert outer.budget == Budget(max_tokens=250, max_tool_calls=9)


def test_the_limits_of_an_agent_are_those_of_every_period_and_of_the_accounts_above():
    ledger = MemoryLedger()
    ledger.open("team", "9 calls, $5 a day")
    ledger.open("me", "2k tokens a minute, 3 calls", parent="team")
    assert AgentAccount(ledger, "me").budget == Budget(2_000, 5, None, 3)


@pytest.mark.parametrize("around_first", [False, True])
def test_what_does_not_fit_is_refused_and_nothing_of_it_stays(around_first):
    outer, step = two_steps(max_tokens=1_000 if around_first else 99)
    if around_first:
        outer.reserve("another", Spend(200))
    with pytest.raises(BudgetExceeded) as refused:
        step.reserve("a model", CALL)
    assert calls_of(step) == []
    assert outer.left.max_tokens == (50 if around_first else 250)
    assert step.refusal is refused.value
    assert outer.refusal is (refused.value if around_first else None)


def test_once_refused_it_refuses_everything_for_the_first_reason():
    _, step = two_steps(max_tokens=100)
    with pytest.raises(BudgetExceeded) as first:
        step.reserve("too much", Spend(101))
    with pytest.raises(BudgetExceeded) as second:
        step.reserve("little", Spend(1))
    assert second.value is first.value
    other = BudgetExceeded({"tokens": 1}, "other")
    with pytest.raises(BudgetExceeded) as third:
        step.refuse(other)
    assert third.value is other
    assert step.refusal is first.value


@pytest.mark.parametrize(("left_ms", "short"), [(0, 1), (-4, 5)])
def test_without_time_no_call_is_let_through(left_ms, short):
    step = StepAccount(Budget(), lambda: left_ms)
    with pytest.raises(BudgetExceeded, match=r"^a further call does not fit") as refused:
        step.check()
    assert refused.value.missing == {"latency": short}
    assert step.refusal is refused.value
    StepAccount(Budget(), lambda: 1).check()
    StepAccount(Budget()).check()


def test_calls_are_closed_here_and_around():
    outer, step = two_steps()
    settled, in_full, freed = (step.reserve(label, Spend(50, 9, 0, 1)) for label in "abc")
    step.settle(settled, Spend(30, 5, 7, 1))
    step.charge_in_full(in_full, 8)
    step.release(freed)
    ends = [
        ("a", "settled", Spend(30, 5, 7, 1)),
        ("b", "in_doubt", Spend(50, 9, 8, 1)),
        ("c", "released", Spend()),
    ]
    assert calls_of(step) == ends
    assert calls_of(outer) == ends
    assert outer.ledger.balance(outer.account).reserved == Spend()


def test_nobody_is_said_to_have_taken_time_that_is_not_told():
    outer, step = two_steps()
    step.charge_in_full(step.reserve("a", CALL))
    assert calls_of(step) == calls_of(outer) == [("a", "in_doubt", CALL)]


def test_a_step_that_stands_alone_is_closed_alone():
    step = StepAccount(Budget(max_tokens=100))
    step.settle(step.reserve("a", Spend(40)), Spend(10))
    step.charge_in_full(step.reserve("b", Spend(40)))
    step.release(step.reserve("c", Spend(40)))
    assert step.left == Budget(max_tokens=50)


def test_at_its_end_what_is_open_is_charged_in_full_and_nothing_more_is_let_through():
    outer, step = two_steps()
    step.settle(step.reserve("a", CALL), USED)
    step.reserve("b", CALL)
    step.close()
    assert [status for _, status, _ in calls_of(step)] == ["settled", "in_doubt"]
    assert calls_of(outer) == calls_of(step)
    with pytest.raises(StepEnded):
        step.check()
    with pytest.raises(StepEnded):
        step.reserve("c", CALL)
    outer.check()


def test_a_bill_is_what_was_seen_once_a_model_was_asked():
    outer, step = two_steps()
    declared = Spend(tokens=70, cost_nano_usd=3, latency_ms=5, tool_calls=2)
    assert step.bill(declared) == declared
    step.settle(step.reserve("a tool", CALL), USED)
    assert step.bill(declared) == Spend(70, 3, 5, 1)
    step.note_metered()
    assert step.bill(declared) == outer.bill(declared) == Spend(30, 20, 0, 1)
    step.release(step.reserve("freed", CALL))
    step.reserve("open", CALL)
    assert step.bill(declared).tool_calls == 1


def test_it_was_used_when_a_call_was_made_or_refused():
    outer, step = two_steps(max_tokens=100)
    assert not step.was_used
    step.release(step.reserve("freed", CALL))
    assert not step.was_used
    with pytest.raises(BudgetExceeded):
        step.reserve("too much", Spend(101))
    assert step.was_used
    step.note_metered()
    assert step.bill(Spend(70, 3, 5, 2)) == Spend()
    assert not outer.was_used
    outer.reserve("a", CALL)
    assert outer.was_used


def test_what_an_executor_tells_is_believed_where_it_is_more():
    _, step = two_steps()
    step.note_metered()
    step.settle(step.reserve("a", CALL), USED)
    assert step.at_least(Spend(99, 1, 3, 0)) == Spend(99, 20, 3, 1)
    without_models = StepAccount(Budget())
    without_models.settle(without_models.reserve("a tool", CALL), USED)
    assert without_models.at_least(Spend(10, 1, 3, 0)) == Spend(10, 1, 3, 1)


def test_what_is_closed_twice_is_booked_once():
    outer, step = two_steps()
    key = step.reserve("a", CALL)
    for _ in range(2):
        step.settle(key, USED)
    in_full, freed = step.reserve("b", Spend(1)), step.reserve("c", Spend(1))
    for _ in range(2):
        step.charge_in_full(in_full)
        step.release(freed)
    assert calls_of(outer) == calls_of(step)
    assert outer.left.max_tokens == 250 - 30 - 1


def test_calls_on_an_account_stand_beside_those_of_others():
    ledger = MemoryLedger()
    ledger.open("team", Budget(max_tokens=300))
    one, other = (AgentAccount(ledger, "team", lambda: 500) for _ in range(2))
    assert one.left_ms() == 500
    key = one.reserve("a", CALL)
    other.reserve("b", CALL)
    assert one.left == other.left == Budget(max_tokens=100)
    assert key.startswith("agent-")
    assert len(ledger.entries("team")) == 2
    one.close()
    assert [entry.status for entry in ledger.entries("team")] == ["in_doubt", "pending"]
    assert one.parent is None


def test_a_call_is_held_by_the_innermost_step_that_is_on_another_account():
    ledger = MemoryLedger()
    ledger.open("team", Budget())
    ledger.open("another", Budget())
    assert current_account() is None
    assert enclosing_account(ledger, "team") is None
    outer = StepAccount(Budget(max_tokens=250))
    with use_account(outer):
        assert current_account() is outer
        team = AgentAccount(ledger, "team")
        assert team.parent is outer
        with use_account(team):
            assert AgentAccount(ledger, "team").parent is outer
            assert AgentAccount(ledger, "another").parent is team
            assert enclosing_account(ledger, "team") is outer
            assert enclosing_account(ledger, "another") is team
            assert enclosing_account(MemoryLedger(), "team") is team
            team.reserve("a", CALL)
        assert outer.left.max_tokens == 150
        assert current_account() is outer
    assert current_account() is None


def test_a_call_on_a_share_of_an_account_stands_there_already():
    ledger = MemoryLedger()
    ledger.open("team", Budget(max_tokens=900))
    ledger.grant("team", "share", Budget(max_tokens=300))
    ledger.grant("share", "part", Budget(max_tokens=100))
    outer = StepAccount(Budget(max_tokens=900))
    with use_account(outer), use_account(AgentAccount(ledger, "team")) as team:
        assert enclosing_account(ledger, "share") is outer
        assert enclosing_account(MemoryLedger(), "share") is team
        share = AgentAccount(ledger, "share")
        assert share.parent is outer
        with use_account(share):
            assert AgentAccount(ledger, "part").parent is outer
            share.reserve("a", CALL)
    assert outer.ledger.balance(outer.account).reserved == CALL
    assert ledger.balance("share").reserved.tokens == CALL.tokens + 100
    assert ledger.balance("team").reserved.tokens == 300  # what is held for the share shrinks
    with use_account(AgentAccount(ledger, "team")):
        assert enclosing_account(ledger, ledger.take("share", "me")) is None


@pytest.fixture
def hurried():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hurried")
def test_calls_from_many_threads_have_keys_of_their_own():
    for _ in range(5):
        step = StepAccount(Budget())
        with ThreadPoolExecutor(8) as threads:
            keys = list(threads.map(step.reserve, ["a"] * 2_000, [CALL] * 2_000))
        assert len(set(keys)) == 2_000


def test_a_step_is_left_however_its_step_ends():
    with pytest.raises(LookupError), use_account(StepAccount(Budget())):
        raise LookupError
    assert current_account() is None

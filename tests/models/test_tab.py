"""The tab of a step: what its calls may use together, here and in the tabs around it."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from thrifty import Budget, BudgetExceeded, MemoryLedger, Spend, StepEnded
from thrifty.models.tab import AccountTab, Tab, on_tab, open_tab, tab_around

CALL = Spend(tokens=100, cost_nano_usd=50, tool_calls=1)
USED = Spend(tokens=30, cost_nano_usd=20, latency_ms=7, tool_calls=1)


def tabs(**limits: int) -> tuple[Tab, Tab]:
    """One in which a step runs, and that of a step in it, with these limits of its own."""
    around = Tab(Budget(max_tokens=250, max_tool_calls=9))
    return around, Tab(Budget(**limits), parent=around)


def told(tab: Tab) -> list[tuple[str, str, Spend]]:
    return [(e.label, e.status, e.charged) for e in tab.ledger.entries(tab.account)]


def test_what_is_reserved_inside_is_reserved_around():
    around, tab = tabs(max_tokens=120)
    tab.reserve("a model", CALL)
    assert told(tab) == told(around) == [("a model", "pending", Spend())]
    assert (tab.left.max_tokens, around.left.max_tokens) == (20, 150)
    assert tab.left.max_tool_calls == 8


def test_the_tightest_limit_counts_wherever_it_is():
    around, tab = tabs(max_tokens=1_000)
    assert tab.budget == Budget(max_tokens=250, max_tool_calls=9)
    assert tab.left == tab.budget
    around.reserve("another", CALL)
    assert tab.left == Budget(max_tokens=150, max_tool_calls=8)
    assert tab.budget == Budget(max_tokens=250, max_tool_calls=9)
    assert around.budget == Budget(max_tokens=250, max_tool_calls=9)


@pytest.mark.parametrize("around_first", [False, True])
def test_what_does_not_fit_is_refused_and_nothing_of_it_stays(around_first):
    around, tab = tabs(max_tokens=1_000 if around_first else 99)
    if around_first:
        around.reserve("another", Spend(200))
    with pytest.raises(BudgetExceeded) as refused:
        tab.reserve("a model", CALL)
    assert told(tab) == []
    assert around.left.max_tokens == (50 if around_first else 250)
    assert tab.refusal is refused.value
    assert around.refusal is (refused.value if around_first else None)


def test_once_refused_it_refuses_everything_for_the_first_reason():
    _, tab = tabs(max_tokens=100)
    with pytest.raises(BudgetExceeded) as first:
        tab.reserve("too much", Spend(101))
    with pytest.raises(BudgetExceeded) as second:
        tab.reserve("little", Spend(1))
    assert second.value is first.value
    other = BudgetExceeded({"tokens": 1}, "other")
    with pytest.raises(BudgetExceeded) as third:
        tab.refuse(other)
    assert third.value is other
    assert tab.refusal is first.value


@pytest.mark.parametrize(("left_ms", "short"), [(0, 1), (-4, 5)])
def test_without_time_no_call_is_let_through(left_ms, short):
    tab = Tab(Budget(), lambda: left_ms)
    with pytest.raises(BudgetExceeded, match=r"^a further call does not fit") as refused:
        tab.check()
    assert refused.value.missing == {"latency": short}
    assert tab.refusal is refused.value
    Tab(Budget(), lambda: 1).check()
    Tab(Budget()).check()


def test_calls_are_closed_here_and_around():
    around, tab = tabs()
    settled, in_full, freed = (tab.reserve(label, Spend(50, 9, 0, 1)) for label in "abc")
    tab.settle(settled, Spend(30, 5, 7, 1))
    tab.charge_in_full(in_full, 8)
    tab.release(freed)
    ends = [
        ("a", "settled", Spend(30, 5, 7, 1)),
        ("b", "in_doubt", Spend(50, 9, 8, 1)),
        ("c", "released", Spend()),
    ]
    assert told(tab) == ends
    assert told(around) == ends
    assert around.ledger.balance(around.account).reserved == Spend()


def test_nobody_is_said_to_have_taken_time_that_is_not_told():
    around, tab = tabs()
    tab.charge_in_full(tab.reserve("a", CALL))
    assert told(tab) == told(around) == [("a", "in_doubt", CALL)]


def test_a_tab_that_stands_alone_is_closed_alone():
    tab = Tab(Budget(max_tokens=100))
    tab.settle(tab.reserve("a", Spend(40)), Spend(10))
    tab.charge_in_full(tab.reserve("b", Spend(40)))
    tab.release(tab.reserve("c", Spend(40)))
    assert tab.left == Budget(max_tokens=50)


def test_at_its_end_what_is_open_is_charged_in_full_and_nothing_more_is_let_through():
    around, tab = tabs()
    tab.settle(tab.reserve("a", CALL), USED)
    tab.reserve("b", CALL)
    tab.close()
    assert [status for _, status, _ in told(tab)] == ["settled", "in_doubt"]
    assert told(around) == told(tab)
    with pytest.raises(StepEnded):
        tab.check()
    with pytest.raises(StepEnded):
        tab.reserve("c", CALL)
    around.check()


def test_a_bill_is_what_was_seen_once_a_model_was_asked():
    around, tab = tabs()
    declared = Spend(tokens=70, cost_nano_usd=3, latency_ms=5, tool_calls=2)
    assert tab.bill(declared) == declared
    tab.settle(tab.reserve("a tool", CALL), USED)
    assert tab.bill(declared) == Spend(70, 3, 5, 1)
    tab.note_seen()
    assert tab.bill(declared) == around.bill(declared) == Spend(30, 20, 0, 1)
    tab.release(tab.reserve("freed", CALL))
    tab.reserve("open", CALL)
    assert tab.bill(declared).tool_calls == 1


def test_it_was_used_when_a_call_was_made_or_refused():
    around, tab = tabs(max_tokens=100)
    assert not tab.was_used
    tab.release(tab.reserve("freed", CALL))
    assert not tab.was_used
    with pytest.raises(BudgetExceeded):
        tab.reserve("too much", Spend(101))
    assert tab.was_used
    tab.note_seen()
    assert tab.bill(Spend(70, 3, 5, 2)) == Spend()
    assert not around.was_used
    around.reserve("a", CALL)
    assert around.was_used


def test_what_an_executor_tells_is_believed_where_it_is_more():
    _, tab = tabs()
    tab.note_seen()
    tab.settle(tab.reserve("a", CALL), USED)
    assert tab.at_least(Spend(99, 1, 3, 0)) == Spend(99, 20, 3, 1)
    without_models = Tab(Budget())
    without_models.settle(without_models.reserve("a tool", CALL), USED)
    assert without_models.at_least(Spend(10, 1, 3, 0)) == Spend(10, 1, 3, 1)


def test_what_is_closed_twice_is_booked_once():
    around, tab = tabs()
    key = tab.reserve("a", CALL)
    for _ in range(2):
        tab.settle(key, USED)
    in_full, freed = tab.reserve("b", Spend(1)), tab.reserve("c", Spend(1))
    for _ in range(2):
        tab.charge_in_full(in_full)
        tab.release(freed)
    assert told(around) == told(tab)
    assert around.left.max_tokens == 250 - 30 - 1


def test_calls_on_an_account_stand_beside_those_of_others():
    ledger = MemoryLedger()
    ledger.open("team", Budget(max_tokens=300))
    one, other = (AccountTab(ledger, "team", lambda: 500) for _ in range(2))
    assert one.left_ms() == 500
    key = one.reserve("a", CALL)
    other.reserve("b", CALL)
    assert one.left == other.left == Budget(max_tokens=100)
    assert key.startswith("gate-")
    assert len(ledger.entries("team")) == 2
    one.close()
    assert [entry.status for entry in ledger.entries("team")] == ["in_doubt", "pending"]
    assert one.parent is None


def test_a_call_is_held_by_the_innermost_tab_that_is_on_another_account():
    ledger = MemoryLedger()
    ledger.open("team", Budget())
    assert open_tab() is None
    assert tab_around(ledger, "team") is None
    outer = Tab(Budget(max_tokens=250))
    with on_tab(outer):
        assert open_tab() is outer
        team = AccountTab(ledger, "team")
        assert team.parent is outer
        with on_tab(team):
            assert AccountTab(ledger, "team").parent is outer
            assert AccountTab(ledger, "another").parent is team
            assert tab_around(ledger, "team") is outer
            assert tab_around(ledger, "another") is team
            assert tab_around(MemoryLedger(), "team") is team
            team.reserve("a", CALL)
        assert outer.left.max_tokens == 150
        assert open_tab() is outer
    assert open_tab() is None


def test_a_call_on_a_share_of_an_account_stands_there_already():
    ledger = MemoryLedger()
    ledger.open("team", Budget(max_tokens=900))
    ledger.grant("team", "share", Budget(max_tokens=300))
    ledger.grant("share", "part", Budget(max_tokens=100))
    outer = Tab(Budget(max_tokens=900))
    with on_tab(outer), on_tab(AccountTab(ledger, "team")) as team:
        assert tab_around(ledger, "share") is outer
        assert tab_around(MemoryLedger(), "share") is team
        share = AccountTab(ledger, "share")
        assert share.parent is outer
        with on_tab(share):
            assert AccountTab(ledger, "part").parent is outer
            share.reserve("a", CALL)
            assert tab_around(ledger, "a") is share
    assert outer.ledger.balance(outer.account).reserved == CALL
    assert ledger.balance("share").reserved.tokens == CALL.tokens + 100
    assert ledger.balance("team").reserved.tokens == 300
    with on_tab(AccountTab(ledger, "team")):
        assert tab_around(ledger, ledger.take("share", "me")) is None


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
        tab = Tab(Budget())
        with ThreadPoolExecutor(8) as threads:
            keys = list(threads.map(tab.reserve, ["a"] * 2_000, [CALL] * 2_000))
        assert len(set(keys)) == 2_000


def test_a_tab_is_left_however_its_step_ends():
    with pytest.raises(LookupError), on_tab(Tab(Budget())):
        raise LookupError
    assert open_tab() is None

"""The contract of every ledger: what is held for sub-agents, spent by them and given back."""

import pytest

from tests.ledger.shorthand import CALL, USED, called, left
from thrifty.budget import (
    AccountClosed,
    Budget,
    BudgetExceeded,
    InvalidInput,
    KeyReused,
    ReservationClosed,
    Spend,
)

SHARE = Budget(max_tokens=2_000, max_cost_usd=0.1, max_tool_calls=5)


def granted(ledger, *children):
    called(ledger)
    for child in children:
        ledger.grant("run", child, SHARE)


def held(ledger, account, child):
    """What is held for a sub-agent, by its entry in the account that granted it."""
    return ledger.entry(account, child).reserved


def test_a_share_is_held_in_the_parents_account(ledger):
    """What a sub-agent may spend, nobody else can."""
    granted(ledger, "sub")
    assert ledger.balance("sub").budget == SHARE
    assert left(ledger, "run") == (8_000, 900_000_000, 15)
    (entry,) = ledger.entries("run")
    assert (entry.key, entry.label, entry.status, entry.is_grant) == ("sub", "sub", "granted", True)
    assert (entry.reserved, entry.charged) == (Spend(2_000, 100_000_000, 0, 5), Spend())


def test_a_share_that_does_not_fit_is_refused(ledger):
    """A grant is a reservation: all of it or nothing."""
    called(ledger)
    with pytest.raises(BudgetExceeded):
        ledger.grant("run", "sub", Budget(max_tokens=10_001, max_cost_usd=0, max_tool_calls=0))
    with pytest.raises(KeyError):
        ledger.balance("sub")
    assert ledger.entries("run") == ()


def test_a_share_that_does_not_fit_above_is_refused_there(ledger):
    """It is held in every account up to the root."""
    ledger.open("team", Budget(max_tokens=100))
    ledger.open("run", Budget(max_tokens=1_000), parent="team")
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.grant("run", "sub", Budget(max_tokens=130))
    assert (refusal.value.account, refusal.value.missing) == ("team", {"tokens": 30})
    ledger.grant("run", "sub", Budget(max_tokens=70))
    assert (left(ledger, "team")[0], left(ledger, "run")[0]) == (30, 30)


def test_a_sub_agent_cannot_spend_more_than_its_share(ledger):
    """However much its parent has left."""
    granted(ledger, "sub")
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.reserve("sub", "k", "Outline", Spend(2_001))
    assert (refusal.value.account, refusal.value.missing) == ("sub", {"tokens": 1})


def test_what_a_sub_agent_uses_comes_out_of_what_is_held(ledger):
    """Its parent's bill shows it at once, and it is counted once."""
    granted(ledger, "sub")
    ledger.reserve("sub", "k", "Outline", CALL)
    assert held(ledger, "run", "sub") == Spend(1_500, 100_000_000 - 900, 0, 4)
    assert left(ledger, "run") == (8_000, 900_000_000, 15)
    ledger.settle("sub", "k", USED)
    assert held(ledger, "run", "sub") == Spend(1_700, 100_000_000 - 600, 0, 4)
    assert ledger.balance("run").spent == USED
    assert left(ledger, "run") == (8_000, 900_000_000, 15)


def test_what_is_held_is_there_whatever_others_spend(ledger):
    """A guarantee: also when nothing else is left of the parent's limits."""
    granted(ledger, "sub")
    ledger.reserve("run", "all", "Outline", Spend(8_000, 900_000_000, 0, 15))
    with pytest.raises(BudgetExceeded):
        ledger.reserve("run", "more", "Outline", Spend(1))
    ledger.reserve("sub", "k", "Outline", Spend(2_000, 100_000_000, 0, 5))
    assert left(ledger, "run") == left(ledger, "sub") == (0, 0, 0)


def test_what_is_held_is_there_though_its_parent_is_over(ledger):
    """An overrun, or a lowered limit, stops others: the guarantee was given before."""
    granted(ledger, "sub")
    ledger.reserve("run", "k", "Outline", Spend(8_000, 0, 0, 1))
    ledger.settle("run", "k", Spend(9_000, 0, 0, 1))
    ledger.reserve("sub", "k", "Outline", CALL)
    ledger.set_limits("run", Budget(max_tokens=1))
    ledger.reserve("sub", "l", "Outline", CALL)
    with pytest.raises(BudgetExceeded):
        ledger.reserve("run", "l", "Outline", Spend())
    assert ledger.settle("sub", "k", USED).charged == USED
    assert ledger.balance("run").reserved == CALL + held(ledger, "run", "sub")


def test_a_guarantee_is_not_raised_by_what_its_parent_has_no_limit_in(ledger):
    """What the share does not limit is not held, and has to fit above like any call."""
    ledger.open("run", Budget(max_tokens=1_000, max_tool_calls=3))
    ledger.grant("run", "sub", Budget(max_tokens=600))
    assert left(ledger, "run") == (400, None, 3)
    ledger.reserve("sub", "a", "Outline", Spend(100, 0, 0, 2))
    assert left(ledger, "run") == (400, None, 1)
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.reserve("sub", "b", "Outline", Spend(100, 0, 0, 2))
    assert (refusal.value.account, refusal.value.missing) == ("run", {"tool_calls": 1})


def test_windows_above_limit_a_sub_agent_too(ledger, clock):
    """What is held is held of the parent's whole life, not of a day or a minute."""
    ledger.open("run", {"run": Budget(max_tokens=10_000), "day": Budget(max_tokens=100)})
    ledger.grant("run", "sub", Budget(max_tokens=2_000))
    ledger.reserve("run", "k", "Outline", Spend(60))
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.reserve("sub", "k", "Outline", Spend(50))
    assert (refusal.value.account, refusal.value.period) == ("run", "day")
    clock.ms += 86_400_000
    ledger.reserve("sub", "k", "Outline", Spend(50))
    (_, day) = ledger.balance("run").periods
    assert (day.spent + day.reserved).tokens == 50


def test_a_day_that_is_limited_later_counts_calls_and_nothing_that_is_held(ledger):
    granted(ledger, "sub")
    ledger.reserve("sub", "k", "Outline", Spend(40))
    ledger.set_limits("run", {"run": Budget(max_tokens=10_000), "day": Budget(max_tokens=100)})
    (run, day) = ledger.balance("run").periods
    assert (run.reserved.tokens, day.reserved.tokens) == (2_000, 40)
    ledger.reclaim("run", "sub")
    (run, day) = ledger.balance("run").periods
    assert (run.spent, run.reserved) == (day.spent, day.reserved) == (Spend(40), Spend())


def test_what_is_unused_comes_back(ledger):
    """Of a reclaimed share stays what was spent, and nothing is called in it any more."""
    granted(ledger, "sub")
    ledger.reserve("sub", "k", "Outline", CALL)
    ledger.settle("sub", "k", USED)
    entry = ledger.reclaim("run", "sub")
    assert (entry.status, entry.charged, entry.is_overrun) == ("returned", Spend(), False)
    assert (ledger.balance("run").spent, ledger.balance("run").reserved) == (USED, Spend())
    assert left(ledger, "run") == (9_700, 999_999_400, 19)
    assert left(ledger, "sub") == (0, 0, 0)
    with pytest.raises(AccountClosed) as refusal:
        ledger.reserve("sub", "l", "Outline", Spend(1))
    assert refusal.value.account == "sub"
    assert ledger.reclaim("run", "sub") == entry


def test_what_is_open_in_a_reclaimed_account_is_given_up(ledger):
    """A call that may have been sent is charged in full; one that was not is released."""
    granted(ledger, "sub")
    ledger.open("sub/run", Budget(), parent="sub")
    for account in ("sub", "sub/run"):
        ledger.reserve(account, "sent", "Outline", CALL)
        ledger.reserve(account, "not sent", "Outline", CALL, unsent=True)
    ledger.reclaim("run", "sub")
    for account in ("sub", "sub/run"):
        assert [entry.status for entry in ledger.entries(account)] == ["in_doubt", "released"]
    balance = ledger.balance("run")
    assert (balance.spent, balance.reserved) == (CALL + CALL, Spend())


@pytest.mark.parametrize("late", ["reconcile", "settle"])
def test_a_late_bill_reaches_the_parent(ledger, late):
    """What a doubt turns out to have cost is corrected everywhere. It frees the parent's limits
    alone: what was reclaimed stays closed."""
    granted(ledger, "sub")
    ledger.grant("sub", "deep", Budget(max_tokens=1_000, max_cost_usd=0.05, max_tool_calls=3))
    ledger.reserve("deep", "k", "Outline", CALL)
    ledger.reclaim("run", "sub")
    assert left(ledger, "run") == (9_500, 999_999_100, 19)
    getattr(ledger, late)("deep", "k", USED)
    for account in ("sub", "deep"):
        assert ledger.balance(account).spent == USED
        assert left(ledger, account) == (0, 0, 0)
        with pytest.raises(AccountClosed):
            ledger.reserve(account, "l", "Outline", Spend(1))
    assert left(ledger, "run") == (9_700, 999_999_400, 19)


def test_a_grant_is_on_the_bill_of_the_run_that_made_it(ledger):
    called(ledger)
    ledger.grant(ledger.take("run", "a", run="one"), "sub", SHARE)
    assert ledger.entry("run", "sub").run == "one"


def test_a_sub_agents_overrun_is_its_parents(ledger):
    """What is really spent is spent, and the parent has that much less."""
    granted(ledger, "sub")
    ledger.reserve("sub", "k", "Outline", Spend(2_000))
    ledger.settle("sub", "k", Spend(2_500))
    assert [entry.key for entry in ledger.overruns("sub")] == ["k"]
    assert held(ledger, "run", "sub").tokens == 0
    assert left(ledger, "run") == (7_500, 900_000_000, 15)
    assert not ledger.reclaim("run", "sub").is_overrun
    assert ledger.balance("run").spent == Spend(2_500)


def test_an_overrun_beside_open_calls_is_held_with_them(ledger):
    """The parent is told at once what its sub-agent can still come to cost."""
    granted(ledger, "sub")
    ledger.reserve("sub", "a", "Outline", Spend(1_000))
    ledger.reserve("sub", "b", "Outline", Spend(1_000))
    ledger.settle("sub", "a", Spend(1_500))
    assert left(ledger, "run")[0] == 10_000 - 1_500 - 1_000
    ledger.release("sub", "b")
    assert left(ledger, "run")[0] == 10_000 - 2_000


def test_granting_twice_is_granting_once(ledger):
    """A resumed parent finds its sub-agent's account, open or reclaimed, as it is."""
    granted(ledger, "sub")
    ledger.reserve("sub", "k", "Outline", CALL)
    again = ledger.grant("run", "sub", Budget(max_tokens=1, max_cost_usd=0, max_tool_calls=0))
    assert again == ledger.balance("sub")
    assert again.budget == SHARE
    ledger.reclaim("run", "sub")
    assert ledger.grant("run", "sub", SHARE).left.max_tokens == 0


def test_the_name_of_a_grant_is_its_own(ledger):
    """Not another account's, not a call's, and no call takes it."""
    granted(ledger, "sub")
    ledger.open("stranger", Budget())
    ledger.open("below", Budget(), parent="run")
    ledger.reserve("run", "call", "Outline", CALL)
    for name in ("stranger", "run", "call", "below"):
        with pytest.raises(KeyReused):
            ledger.grant("run", name, SHARE)
    with pytest.raises(KeyReused):
        ledger.grant("stranger", "sub", SHARE)
    with pytest.raises(KeyReused):
        ledger.reserve("run", "sub", "Outline", CALL)
    for act in (ledger.release, ledger.charge_in_full, ledger.mark_sent):
        with pytest.raises(ReservationClosed):
            act("run", "sub")
    for act in (ledger.settle, ledger.reconcile):
        with pytest.raises(ReservationClosed):
            act("run", "sub", USED)


def test_only_what_was_granted_can_be_reclaimed(ledger):
    """A call is none, and neither is an account that was opened below this one."""
    granted(ledger)
    ledger.open("stranger", Budget())
    ledger.open("below", Budget(), parent="run")
    ledger.reserve("run", "call", "Outline", CALL)
    for name in ("stranger", "call", "nothing", "below"):
        with pytest.raises(ReservationClosed):
            ledger.reclaim("run", name)


def test_a_share_can_grow_and_shrink(ledger):
    """At the parent's cost, and as far as the parent can bear it."""
    granted(ledger, "sub")
    wider = Budget(max_tokens=9_000, max_cost_usd=0.1, max_tool_calls=5)
    assert ledger.set_limits("sub", wider).budget == wider
    assert left(ledger, "run")[0] == 1_000
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.set_limits("sub", Budget(max_tokens=10_001, max_cost_usd=0.1, max_tool_calls=5))
    assert (refusal.value.account, refusal.value.missing) == ("run", {"tokens": 1})
    assert ledger.balance("sub").budget == wider
    ledger.set_limits("sub", Budget(max_tokens=10, max_cost_usd=0, max_tool_calls=0))
    assert left(ledger, "run") == (9_990, 1_000_000_000, 20)


def test_a_share_shrinks_no_further_than_what_is_under_way(ledger):
    """The parent gets it back when the calls that hold it are settled."""
    granted(ledger, "sub")
    ledger.reserve("sub", "k", "Outline", Spend(1_500))
    ledger.set_limits("sub", Budget(max_tokens=100, max_cost_usd=0.1, max_tool_calls=5))
    assert left(ledger, "run")[0] == 8_500
    ledger.settle("sub", "k", Spend(50))
    assert left(ledger, "run")[0] == 9_900


def test_a_share_can_shrink_while_its_parent_is_over(ledger):
    """Giving back is never refused."""
    granted(ledger, "sub")
    ledger.set_limits("run", Budget(max_tokens=5, max_cost_usd=1, max_tool_calls=20))
    ledger.set_limits("sub", Budget(max_tokens=1, max_cost_usd=0, max_tool_calls=0))
    assert left(ledger, "run")[0] == 4


def test_a_share_grows_only_where_it_grows(ledger):
    """What its parent is over in something else is no hindrance."""
    granted(ledger, "sub")
    ledger.set_limits("run", Budget(max_tokens=5, max_cost_usd=1, max_tool_calls=20))
    ledger.set_limits("sub", Budget(max_tokens=2_000, max_cost_usd=0.2, max_tool_calls=5))
    assert left(ledger, "run")[1] == 800_000_000


def test_a_reclaimed_account_gets_no_limits_and_holds_nothing(ledger):
    """Only the calls that it once made can still change anything."""
    granted(ledger, "sub")
    ledger.reclaim("run", "sub")
    with pytest.raises(AccountClosed):
        ledger.set_limits("sub", Budget(max_tokens=50_000))
    assert left(ledger, "run") == (10_000, 1_000_000_000, 20)
    with pytest.raises(AccountClosed):
        ledger.reserve("sub", "k", "Outline", CALL)


def test_an_account_that_was_granted_opens_no_wider(ledger):
    """A sub-agent that brings a budget of its own gets the lower of the two."""
    granted(ledger, "sub")
    balance = ledger.open("sub", Budget(max_tokens=50_000, max_tool_calls=2))
    assert balance.budget == Budget(max_tokens=2_000, max_cost_usd=0.1, max_tool_calls=2)
    assert left(ledger, "run") == (8_000, 900_000_000, 18)


def test_what_nobody_limits_still_adds_up(ledger):
    """A resource without a limit is not held, but its spending reaches the parent."""
    ledger.open("run", Budget(max_tool_calls=5))
    ledger.grant("run", "sub", Budget(max_tool_calls=2))
    ledger.reserve("sub", "k", "Outline", CALL)
    ledger.settle("sub", "k", USED)
    assert ledger.balance("run").spent == USED
    assert not ledger.reclaim("run", "sub").is_overrun


def test_sub_agents_have_sub_agents(ledger):
    """Three levels down, every bill above says the same, and reclaiming takes all."""
    granted(ledger, "sub")
    ledger.grant("sub", "sub/sub", Budget(max_tokens=1_000, max_cost_usd=0.05, max_tool_calls=3))
    ledger.grant("sub/sub", "deep", Budget(max_tokens=600, max_cost_usd=0.01, max_tool_calls=2))
    assert left(ledger, "run") == (8_000, 900_000_000, 15)
    assert left(ledger, "sub") == (1_000, 50_000_000, 2)
    ledger.reserve("deep", "a", "Outline", CALL)
    ledger.settle("deep", "a", USED)
    assert left(ledger, "run") == (8_000, 900_000_000, 15)
    for account in ("run", "sub", "sub/sub", "deep"):
        assert ledger.balance(account).spent == USED
    ledger.reserve("deep", "b", "Outline", Spend(300))
    assert ledger.reclaim("run", "sub").status == "returned"
    for account in ("run", "sub", "sub/sub", "deep"):
        balance = ledger.balance(account)
        assert (balance.spent, balance.reserved) == (USED + Spend(300), Spend())
    assert [e.status for e in ledger.entries("sub/sub")] == ["returned"]


def test_a_share_of_a_share_is_there_when_nothing_else_is_left_above(ledger):
    """What is held for the sub-agent pays for what it holds for its own."""
    ledger.open("run", Budget(max_tokens=100))
    ledger.grant("run", "sub", Budget(max_tokens=100))
    ledger.grant("sub", "deep", Budget(max_tokens=60))
    assert (held(ledger, "run", "sub").tokens, held(ledger, "sub", "deep").tokens) == (40, 60)
    ledger.set_limits("deep", Budget(max_tokens=90))
    assert (held(ledger, "run", "sub").tokens, held(ledger, "sub", "deep").tokens) == (10, 90)
    ledger.reserve("deep", "k", "Outline", Spend(90))
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.grant("sub", "other", Budget(max_tokens=11))
    assert (refusal.value.account, refusal.value.missing) == ("sub", {"tokens": 1})
    assert left(ledger, "run")[0] == 0


def test_nothing_is_granted_in_or_below_what_is_closed(ledger):
    ledger.open("team", Budget())
    ledger.open("run", Budget(), parent="team")
    ledger.grant("run", "before", Budget(max_tokens=5))
    for closed in ("team", "run"):
        ledger.close(closed)
        with pytest.raises(AccountClosed):
            ledger.grant("run", "sub", Budget(max_tokens=1))
        assert ledger.grant("run", "before", Budget(max_tokens=5)).is_closed
        with pytest.raises(AccountClosed):
            ledger.reserve("before", "k", "Outline", Spend(1))
    assert ledger.reclaim("run", "before").status == "returned"
    assert ledger.balance("team").reserved == Spend()


def test_what_is_held_keeps_an_account_where_it_is(ledger):
    """It would have to be held in its new place too. Once it is reclaimed, it is free to go."""
    ledger.open("org", Budget())
    granted(ledger, "sub")
    ledger.open("sub/run", Budget(), parent="sub")
    for account, parent in (("sub", "org"), ("sub", None), ("run", "org")):
        with pytest.raises(InvalidInput) as refusal:
            ledger.move(account, parent)
        assert (refusal.value.field, refusal.value.value) == ("account", account)
    ledger.move("sub/run", "org")
    ledger.move("sub/run", "sub")
    ledger.reserve("sub/run", "k", "Outline", CALL)
    ledger.reclaim("run", "sub")
    ledger.move("sub", "org")
    ledger.settle("sub/run", "k", USED)
    assert (ledger.balance("run").spent, ledger.balance("org").spent) == (USED, Spend())


def test_what_was_reclaimed_is_found_again_after_a_move(ledger):
    """Where what granted it moves, it moves too. Once it is moved by itself, it is no grant."""
    ledger.open("org", Budget())
    granted(ledger, "sub")
    ledger.reclaim("run", "sub")
    ledger.move("run", "org")
    assert ledger.grant("run", "sub", SHARE) == ledger.balance("sub")
    assert ledger.reclaim("run", "sub").status == "returned"
    ledger.move("sub", "org")
    with pytest.raises(KeyReused):
        ledger.grant("run", "sub", SHARE)
    assert ledger.reclaim("run", "sub").status == "returned"


def test_calls_of_what_has_moved_away_still_count_in_the_share(ledger):
    """They were booked there. What is held follows them, also from afar."""
    granted(ledger, "sub")
    ledger.open("sub/run", Budget(), parent="sub")
    ledger.reserve("sub/run", "a", "Outline", CALL)
    ledger.reserve("sub/run", "b", "Outline", CALL)
    ledger.move("sub/run", None)
    ledger.settle("sub/run", "a", USED)
    assert held(ledger, "run", "sub").tokens == 2_000 - CALL.tokens - USED.tokens
    ledger.reclaim("run", "sub")
    assert left(ledger, "run")[0] == 10_000 - CALL.tokens - USED.tokens
    ledger.release("sub/run", "b")
    assert left(ledger, "run")[0] == 10_000 - USED.tokens
    assert held(ledger, "run", "sub").tokens == 2_000 - CALL.tokens - USED.tokens


def test_what_moves_below_a_share_spends_of_it(ledger):
    granted(ledger, "sub")
    ledger.open("late", Budget())
    ledger.reserve("late", "before", "Outline", CALL)
    ledger.move("late", "sub")
    ledger.reserve("late", "after", "Outline", CALL)
    ledger.settle("late", "before", USED)
    ledger.settle("late", "after", USED)
    assert held(ledger, "run", "sub").tokens == 2_000 - USED.tokens
    assert left(ledger, "run")[0] == 8_000
    assert ledger.balance("run").spent == USED

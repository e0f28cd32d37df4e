"""The contract of every ledger: what sub-agents are given, spend and give back."""

import pytest

from tests.ledger.shorthand import CALL, USED, called, left
from thrifty.budget import (
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


def test_a_share_is_carved_out_of_the_parents_account(ledger):
    """What a sub-agent may spend, nobody else can."""
    granted(ledger, "sub")
    assert ledger.balance("sub").budget == SHARE
    assert left(ledger, "run") == (8_000, 900_000_000, 15)
    (entry,) = ledger.entries("run")
    assert (entry.key, entry.label, entry.status, entry.is_grant) == ("sub", "sub", "granted", True)


def test_a_share_that_does_not_fit_is_refused(ledger):
    """A grant is a reservation: all of it or nothing."""
    called(ledger)
    with pytest.raises(BudgetExceeded):
        ledger.grant("run", "sub", Budget(max_tokens=10_001, max_cost_usd=0, max_tool_calls=0))
    with pytest.raises(KeyError):
        ledger.balance("sub")
    assert ledger.entries("run") == ()


def test_a_share_limits_all_that_its_parent_limits(ledger):
    """Else the sub-agent could spend what the parent has only once."""
    called(ledger)
    with pytest.raises(InvalidInput, match=r"share\.max_cost_usd"):
        ledger.grant("run", "sub", Budget(max_tokens=10, max_tool_calls=1))


def test_a_sub_agent_cannot_spend_more_than_its_share(ledger):
    """However much its parent has left."""
    granted(ledger, "sub")
    with pytest.raises(BudgetExceeded):
        ledger.reserve("sub", "k", "Outline", Spend(2_001))


def test_what_a_sub_agent_spends_is_its_parents_spending(ledger):
    """At once, and once: the parent's bill shows it while the sub-agent works."""
    granted(ledger, "sub")
    ledger.reserve("sub", "k", "Outline", CALL)
    assert left(ledger, "run") == (8_000, 900_000_000, 15)
    ledger.settle("sub", "k", USED)
    assert ledger.balance("run").spent == USED
    assert left(ledger, "run") == (8_000, 900_000_000, 15)


def test_what_is_unused_comes_back(ledger):
    """A reclaimed grant costs what the sub-agent has spent, and nothing fits in it any more."""
    granted(ledger, "sub")
    ledger.reserve("sub", "k", "Outline", CALL)
    ledger.settle("sub", "k", USED)
    entry = ledger.reclaim("run", "sub")
    assert (entry.status, entry.charged, entry.is_overrun) == ("returned", USED, False)
    assert entry.reserved.tokens == 2_000
    assert ledger.balance("run").reserved == Spend()
    assert left(ledger, "run") == (9_700, 999_999_400, 19)
    with pytest.raises(BudgetExceeded):
        ledger.reserve("sub", "l", "Outline", Spend(1))
    assert ledger.reclaim("run", "sub") == entry


def test_what_is_open_in_a_reclaimed_account_is_given_up(ledger):
    """A call that may have been sent is charged in full; one that was not is released."""
    granted(ledger, "sub")
    ledger.reserve("sub", "sent", "Outline", CALL)
    ledger.reserve("sub", "not sent", "Outline", CALL, unsent=True)
    ledger.reclaim("run", "sub")
    assert [entry.status for entry in ledger.entries("sub")] == ["in_doubt", "released"]
    assert ledger.balance("run").spent == CALL


def test_a_late_reconciliation_reaches_the_parent(ledger):
    """What a doubt turns out to have cost is corrected on every bill that it is on."""
    granted(ledger, "sub")
    ledger.reserve("sub", "k", "Outline", CALL)
    ledger.reclaim("run", "sub")
    ledger.reconcile("sub", "k", USED)
    assert ledger.balance("run").spent == USED
    assert ledger.entries("run")[0].charged == USED


def test_what_a_late_reconciliation_frees_is_the_parents(ledger):
    """It came back with the share: in what was reclaimed nothing fits, at any depth."""
    granted(ledger, "sub")
    ledger.grant("sub", "deep", Budget(max_tokens=1_000, max_cost_usd=0.05, max_tool_calls=3))
    ledger.reserve("deep", "k", "Outline", CALL)
    ledger.reclaim("run", "sub")
    ledger.reconcile("deep", "k", USED)
    for account in ("sub", "deep"):
        assert ledger.balance(account).spent == USED
        assert left(ledger, account) == (0, 0, 0)
        with pytest.raises(BudgetExceeded):
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
    assert ledger.entries("run")[0].is_overrun
    assert left(ledger, "run") == (7_500, 900_000_000, 15)
    assert ledger.reclaim("run", "sub").is_overrun
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
    ledger.reserve("run", "call", "Outline", CALL)
    for name in ("stranger", "run", "call"):
        with pytest.raises(KeyReused):
            ledger.grant("run", name, SHARE)
    with pytest.raises(KeyReused):
        ledger.grant("stranger", "sub", SHARE)
    with pytest.raises(KeyReused):
        ledger.reserve("run", "sub", "Outline", CALL)
    for act in (ledger.release, ledger.charge_in_full, ledger.mark_sent):
        with pytest.raises(ReservationClosed):
            act("run", "sub")
    with pytest.raises(ReservationClosed):
        ledger.reconcile("run", "sub", USED)


def test_only_what_was_granted_can_be_reclaimed(ledger):
    """A call is none, and neither is somebody else's account."""
    granted(ledger)
    ledger.open("stranger", Budget())
    ledger.reserve("run", "call", "Outline", CALL)
    for name in ("stranger", "call", "nothing"):
        with pytest.raises(ReservationClosed):
            ledger.reclaim("run", name)


def test_a_share_can_grow_and_shrink(ledger):
    """At the parent's cost, and as far as the parent can bear it."""
    granted(ledger, "sub")
    wider = Budget(max_tokens=9_000, max_cost_usd=0.1, max_tool_calls=5)
    assert ledger.extend("sub", wider).budget == wider
    assert left(ledger, "run")[0] == 1_000
    with pytest.raises(BudgetExceeded):
        ledger.extend("sub", Budget(max_tokens=10_001, max_cost_usd=0.1, max_tool_calls=5))
    ledger.extend("sub", Budget(max_tokens=10, max_cost_usd=0, max_tool_calls=0))
    assert left(ledger, "run") == (9_990, 1_000_000_000, 20)
    ledger.reclaim("run", "sub")
    with pytest.raises(ReservationClosed):
        ledger.extend("sub", wider)


def test_a_share_shrinks_no_further_than_what_is_under_way(ledger):
    """The parent gets it back when the calls that hold it are settled."""
    granted(ledger, "sub")
    ledger.reserve("sub", "k", "Outline", Spend(1_500))
    ledger.extend("sub", Budget(max_tokens=100, max_cost_usd=0.1, max_tool_calls=5))
    assert left(ledger, "run")[0] == 8_500
    ledger.settle("sub", "k", Spend(50))
    assert left(ledger, "run")[0] == 9_900


def test_a_share_can_shrink_while_its_parent_is_over(ledger):
    """Giving back is never refused."""
    granted(ledger, "sub")
    ledger.extend("run", Budget(max_tokens=5, max_cost_usd=1, max_tool_calls=20))
    ledger.extend("sub", Budget(max_tokens=1, max_cost_usd=0, max_tool_calls=0))
    assert left(ledger, "run")[0] == 4


def test_an_account_that_was_granted_opens_no_wider(ledger):
    """A sub-agent that brings a budget of its own gets the lower of the two."""
    granted(ledger, "sub")
    balance = ledger.open("sub", Budget(max_tokens=50_000, max_tool_calls=2))
    assert balance.budget == Budget(max_tokens=2_000, max_cost_usd=0.1, max_tool_calls=2)
    assert left(ledger, "run") == (8_000, 900_000_000, 18)


def test_what_nobody_limits_still_adds_up(ledger):
    """A resource without a limit is not carved, but its spending reaches the parent."""
    ledger.open("run", Budget(max_tool_calls=5))
    ledger.grant("run", "sub", Budget(max_tool_calls=2))
    ledger.reserve("sub", "k", "Outline", CALL)
    ledger.settle("sub", "k", USED)
    assert ledger.balance("run").spent == USED
    assert not ledger.reclaim("run", "sub").is_overrun


def test_a_new_limit_has_to_be_one_of_the_sub_agents_too(ledger):
    """Else they would spend past it, each within a share that has no end."""
    ledger.open("run", Budget())
    ledger.grant("run", "sub", Budget())
    with pytest.raises(InvalidInput, match=r"sub\.max_tokens"):
        ledger.extend("run", Budget(max_tokens=100))
    ledger.extend("sub", Budget(max_tokens=60))
    assert ledger.extend("run", Budget(max_tokens=100)).left.max_tokens == 40


def test_the_last_limit_too_has_to_be_one_of_the_sub_agents(ledger):
    """Also where all else is limited already."""
    ledger.open("run", Budget(None, 1, 1_000, 20))
    ledger.grant("run", "sub", Budget(None, 0.1, None, 5))
    with pytest.raises(InvalidInput, match=r"sub\.max_tokens"):
        ledger.extend("run", Budget(100, 1, 1_000, 20))


def test_sub_agents_have_sub_agents(ledger):
    """Three levels down, every bill above says the same, and reclaiming takes all."""
    granted(ledger, "sub")
    ledger.grant("sub", "sub/sub", Budget(max_tokens=1_000, max_cost_usd=0.05, max_tool_calls=3))
    ledger.grant("sub/sub", "deep", Budget(max_tokens=600, max_cost_usd=0.01, max_tool_calls=2))
    ledger.reserve("deep", "a", "Outline", CALL)
    ledger.settle("deep", "a", USED)
    for account in ("run", "sub", "sub/sub", "deep"):
        assert ledger.balance(account).spent == USED
    ledger.reserve("deep", "b", "Outline", Spend(300))
    entry = ledger.reclaim("run", "sub")
    assert entry.charged == USED + Spend(300)
    for account in ("run", "sub", "sub/sub", "deep"):
        balance = ledger.balance(account)
        assert (balance.spent, balance.reserved) == (USED + Spend(300), Spend())
    assert [e.status for e in ledger.entries("sub/sub")] == ["returned"]

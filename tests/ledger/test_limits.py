"""The contract of every ledger: limits, and how they change while they are in use."""

import pytest

from tests.ledger.shorthand import CALL, USED, called, left
from thrifty.budget import Budget, BudgetExceeded, Spend


def test_opening_twice_is_opening_once(ledger):
    """A run that starts again finds its account, with all that was spent in it."""
    called(ledger, "k")
    ledger.settle("run", "k", USED)
    before = ledger.balance("run")
    assert ledger.open("run", before.budget) == before


def test_opening_with_another_budget_changes_the_limits(ledger):
    """The limits are those that were given last."""
    called(ledger, "k")
    balance = ledger.open("run", Budget(max_tokens=600))
    assert (balance.budget, balance.reserved) == (Budget(max_tokens=600), CALL)


def test_every_limit_is_kept_exactly(ledger):
    """To the last nano-USD, and no limit stays no limit."""
    budget = Budget(10**15, 0.000000001, None, 0)
    assert ledger.open("run", budget).budget == budget
    assert ledger.balance("run").budget == budget


def test_raised_limits_let_refused_calls_through(ledger):
    """A person who gives more is heard at once."""
    ledger.open("run", Budget(max_tokens=100))
    with pytest.raises(BudgetExceeded):
        ledger.reserve("run", "k", "Outline", CALL)
    assert ledger.set_limits("run", Budget(max_tokens=500)).left.max_tokens == 500
    assert ledger.reserve("run", "k", "Outline", CALL).status == "pending"


def test_a_limit_below_what_is_spent_keeps_it_and_stops_new_calls(ledger):
    """What is paid is paid; what is reserved may still be settled."""
    called(ledger, "paid", "under way")
    ledger.settle("run", "paid", USED)
    assert ledger.set_limits("run", Budget(max_tokens=1)).spent == USED
    with pytest.raises(BudgetExceeded):
        ledger.reserve("run", "k", "Outline", Spend())
    assert ledger.settle("run", "under way", USED).charged == USED
    assert ledger.balance("run").spent == USED + USED
    assert left(ledger, "run") == (0, None, None)


def test_limits_can_be_lowered_and_raised_again(ledger):
    """Nothing of a lowered limit stays behind."""
    called(ledger, "k")
    ledger.set_limits("run", Budget(max_tokens=1))
    ledger.set_limits("run", Budget(max_tokens=500 + 500))
    ledger.reserve("run", "l", "Outline", CALL)
    with pytest.raises(BudgetExceeded):
        ledger.reserve("run", "m", "Outline", Spend(1))


def test_a_limit_can_be_taken_away_and_set_anew(ledger):
    """From none to some, what was spent meanwhile counts."""
    ledger.open("run", Budget())
    ledger.reserve("run", "k", "Outline", CALL)
    assert ledger.set_limits("run", Budget(max_tokens=700)).left.max_tokens == 200
    assert ledger.set_limits("run", Budget()).left.max_tokens is None


def test_limits_change_also_while_somebody_holds_the_run(ledger):
    """It is not spending: whoever may write the ledger may set limits, in use or not."""
    called(ledger)
    lease = ledger.take("run", "a")
    ledger.set_limits("run", Budget(max_tokens=1))
    with pytest.raises(BudgetExceeded):
        ledger.reserve(lease, "k", "Outline", CALL)


def test_an_account_that_was_never_opened_has_no_limits_to_change(ledger):
    """A mistyped name opens nothing."""
    with pytest.raises(KeyError):
        ledger.set_limits("run", Budget())

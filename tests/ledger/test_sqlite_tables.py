"""What an SQLite ledger keeps read between transactions is never what another has changed since."""

from pathlib import Path

import pytest

from thrifty import Budget, BudgetExceeded, LeaseLost, Spend, SqliteLedger
from thrifty.ledger import sqlite_tables

WORST_CASE = Spend(10, 0, 0, 1)


def test_what_another_connection_changes_counts_at_once(tmp_path: Path) -> None:
    ledger, other = SqliteLedger(tmp_path / "ledger"), SqliteLedger(tmp_path / "ledger")
    ledger.open("top", Budget(max_tokens=30))
    ledger.open("run", Budget(max_tokens=30), parent="top")
    ledger.reserve("run", "first", "a call", WORST_CASE)
    other.reserve("run", "second", "a call", WORST_CASE)
    ledger.settle("run", "first", WORST_CASE)
    other.set_limits("top", Budget(max_tokens=25))
    with pytest.raises(BudgetExceeded):
        ledger.reserve("run", "third", "a call", WORST_CASE)
    lease = other.take("run", "somebody else")
    with pytest.raises(LeaseLost):
        ledger.release("run", "second")
    other.give_back(lease)
    assert (ledger.balance("run").spent, other.balance("top").spent) == (
        Spend(20, 0, 0, 2),
        Spend(20, 0, 0, 2),
    )


def test_what_is_undone_is_forgotten(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger")
    ledger.open("run", Budget(max_tokens=20))
    ledger.reserve("run", "first", "a call", WORST_CASE)
    with pytest.raises(BudgetExceeded):
        ledger.reserve("run", "second", "a call", Spend(20, 0, 0, 1))
    ledger.reserve("run", "third", "a call", WORST_CASE)
    assert ledger.balance("run").reserved == Spend(20, 0, 0, 2)
    ledger.entries("run")  # which raises where they do not add up


def test_rows_beyond_the_most_are_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_tables, "ROWS_KEPT_MAX", 3)
    ledger = SqliteLedger(tmp_path / "ledger")
    for name in ("a", "b", "c"):
        ledger.open(name, Budget(max_tokens=20))
        ledger.settle(name, ledger.reserve(name, "k", "a call", WORST_CASE).key, WORST_CASE)
        assert ledger.balance(name).spent == WORST_CASE

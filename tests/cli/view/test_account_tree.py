"""When a limit resets, as the tree of accounts says it."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from thrifty import MemoryLedger
from thrifty.cli.account_report import report_accounts
from thrifty.cli.kept_accounts import KeptAccounts
from thrifty.cli.view.account_tree import account_tree


@pytest.mark.parametrize(
    ("now", "resets"),
    [
        ("2026-11-30T18:30:00", {"hour": "19:00", "day": "00:00", "month": "2026-12-01"}),
        ("2026-11-12T18:30:00", {"hour": "19:00", "day": "00:00", "month": "2026-12-01"}),
    ],
)
def test_a_month_ends_on_a_date_also_on_its_last_day(now, resets):
    now_ms = round(datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp() * 1000)
    ledger = MemoryLedger(lambda: now_ms)
    ledger.open("me", "1 call an hour, 2 calls a day, 9 calls a month")
    reports = report_accounts(KeptAccounts.of(ledger))  # type: ignore[arg-type]
    console = Console(file=(file := io.StringIO()), width=100)
    console.print(account_tree(reports, now_ms))
    lines = [line.split() for line in file.getvalue().splitlines() if " call" in line]
    assert [line[-1] for line in lines] == list(resets.values())

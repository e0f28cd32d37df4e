"""What a ledger's calls came to, summed by account, tag, model or day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Literal

from thrifty.budget import Spend, total_spend
from thrifty.budget.local_time import local_time
from thrifty.cli.kept_accounts import KeptAccounts, is_run
from thrifty.ledger.records import MODEL_TAG, Entry

SpendGrouping = Literal["account", "tag", "model", "day"]


@dataclass(frozen=True, slots=True)
class SpendRow:
    """What the calls of one group came to."""

    name: str
    """An account, `tag=value`, a model or a day. Empty for calls that have none."""
    entries: int
    spend: Spend

    @classmethod
    def of(cls, name: str, entries: Iterable[Entry]) -> SpendRow:
        """Sums entries, those under way as what is reserved for them."""
        charges = [entry.reserved if entry.is_open else entry.charged for entry in entries]
        return cls(name, len(charges), total_spend(charges))


@dataclass(frozen=True, slots=True)
class SpendReport:
    """What was spent, by group. Calls that were released are in none."""

    grouping: SpendGrouping
    rows: tuple[SpendRow, ...]
    total: SpendRow
    under_way: SpendRow
    """Those calls that are not settled yet, which count with all that is reserved for them."""
    in_doubt: SpendRow
    """Those that are charged in full, as nobody knows what they cost."""

    def to_data(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "by": self.grouping,
            "rows": [{self.grouping: row.name, **_row_data(row)} for row in self.rows],
            "total": _row_data(self.total),
            "under_way": _row_data(self.under_way),
            "in_doubt": _row_data(self.in_doubt),
        }


def report_spend(
    accounts: KeptAccounts,
    grouping: SpendGrouping,
    *,
    account: str | None,
    since_ms: int,
    zone: tzinfo,
) -> SpendReport:
    """Sums the calls of an account and those below it, or of all.

    Args:
        accounts: the ledger.
        grouping: what makes a row.
        account: where to look; None looks everywhere.
        since_ms: only calls that were reserved from this moment on, in milliseconds since 1970.
        zone: in which days are counted.
    """
    entries = [entry for entry in _read_calls(accounts, account) if entry.at_ms >= since_ms]
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        for name in _group_names(accounts, entry, grouping, zone):
            groups.setdefault(name, []).append(entry)
    rows = [SpendRow.of(name, group) for name, group in groups.items()]
    if grouping == "day":
        rows.sort(key=lambda row: row.name)
    else:
        rows.sort(key=lambda row: (-row.spend.cost_nano_usd, -row.spend.tokens, row.name))
    return SpendReport(
        grouping,
        tuple(rows),
        SpendRow.of("total", entries),
        SpendRow.of("under way", (entry for entry in entries if entry.is_open)),
        SpendRow.of("in doubt", (entry for entry in entries if entry.status == "in_doubt")),
    )


def _read_calls(accounts: KeptAccounts, account: str | None) -> Iterator[Entry]:
    """Each call once, but for what was released."""
    if account is not None:
        entries = accounts.ledger.entries(account, below=True)
    else:  # each account's own, as one that was moved is booked under two roots
        entries = tuple([each for name in accounts.infos for each in accounts.ledger.entries(name)])
    calls = (entry for entry in entries if not (entry.is_grant or entry.is_note))
    return (entry for entry in calls if entry.status != "released")


def _group_names(
    accounts: KeptAccounts, entry: Entry, grouping: SpendGrouping, zone: tzinfo
) -> Iterable[str]:
    tags: Mapping[str, str] = dict(entry.tags)
    match grouping:
        case "account":
            return [_paying_account(accounts, entry.account)]
        case "day":
            return [f"{local_time(entry.at_ms, zone):%Y-%m-%d}"]
        case "model":
            return [tags.get(MODEL_TAG, "")]
        case "tag":
            return [f"{name}={value}" for name, value in tags.items()] or [""]


def _paying_account(accounts: KeptAccounts, name: str) -> str:
    """The account that a person has opened: a run's own counts for the one above it."""
    return next((info.name for info in accounts.path(name) if not is_run(info.name)), "")


def _row_data(row: SpendRow) -> dict[str, Any]:
    return {"entries": row.entries, "spend": row.spend.to_state()}

"""What commands share: where the accounts of a ledger stand, as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from thrifty.budget import Budget
from thrifty.cli.kept_accounts import KeptAccounts, is_run
from thrifty.ledger.records import AccountInfo, Balance, PeriodBalance


@dataclass(frozen=True, slots=True)
class AccountReport:
    """Where an account stands, and the accounts below it."""

    info: AccountInfo
    balance: Balance
    runs: int
    """How many runs have an account of their own right below it."""
    below: tuple[AccountReport, ...]

    @property
    def periods(self) -> tuple[PeriodBalance, ...]:
        """Its own periods that have a limit; without any limit, its whole life."""
        own = [each for each in self.balance.periods if each.account == self.info.name]
        return tuple([each for each in own if not each.budget.is_unlimited]) or (own[0],)

    @property
    def has_windows(self) -> bool:
        """Whether a limit of it resets."""
        return any(each.resets_at_ms is not None for each in self.periods)

    def find(self, name: str) -> AccountReport | None:
        """The account of that name, here or below."""
        return next((each for each in self.walk() if each.info.name == name), None)

    def walk(self) -> Iterator[AccountReport]:
        """This account and all below it, each before those below it."""
        yield self
        for report in self.below:
            yield from report.walk()

    def to_data(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "name": self.info.name,
            "parent": self.info.parent or None,
            "zone": self.info.zone,
            "is_closed": self.balance.is_closed,
            "periods": [_period_data(each) for each in self.periods],
            "left": _limits_data(self.balance.left),
            "runs": self.runs,
            "below": [report.to_data() for report in self.below],
        }


def report_accounts(accounts: KeptAccounts, name: str | None = None) -> tuple[AccountReport, ...]:
    """The trees of all accounts, or of those above and below one. Runs are counted, not listed."""
    below: dict[str, list[AccountInfo]] = {}
    for info in accounts.infos.values():
        below.setdefault(info.parent, []).append(info)
    path = [info.name for info in accounts.path(name)] if name else []

    def report(info: AccountInfo) -> AccountReport:
        children = below.get(info.name, [])
        shown = [each for each in children if not is_run(each.name)]
        if info.name in path[1:]:  # above the one that was asked for: only the way to it
            shown = [each for each in shown if each.name in path]
        runs = sum(is_run(each.name) for each in children)
        reports = tuple([report(each) for each in shown])
        return AccountReport(info, accounts.ledger.balance(info.name), runs, reports)

    roots: Sequence[AccountInfo] = below.get("", [])
    if path:
        roots = [accounts.infos[path[-1]]]
    return tuple([report(root) for root in roots if path or not is_run(root.name)])


def _period_data(period: PeriodBalance) -> dict[str, Any]:
    return {
        "period": period.period,
        "limits": _limits_data(period.budget),
        "spent": period.spent.to_state(),
        "reserved": period.reserved.to_state(),
        "left": _limits_data(period.left),
        "resets_at_ms": period.resets_at_ms,
    }


def _limits_data(budget: Budget) -> dict[str, Any]:
    return {**budget.to_state()}

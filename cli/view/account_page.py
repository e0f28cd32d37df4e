"""An account and its surroundings, after a command has changed or looked them up."""

import time

from thrifty.budget.clock import NANO_PER_MS
from thrifty.budget.plain_text import single_line
from thrifty.cli.account_report import AccountReport, report_accounts
from thrifty.cli.kept_accounts import KeptAccounts
from thrifty.cli.view.account_tree import account_tree
from thrifty.cli.view.screen import Screen, print_json
from thrifty.receipt.wording import describe_left


def show_accounts(
    accounts: KeptAccounts, name: str | None, *, as_json: bool, note: str = ""
) -> None:
    """Shows all accounts, or one with those above and below it, as they are now.

    Args:
        accounts: the ledger.
        name: the account; None shows all.
        as_json: as one JSON object.
        note: what was done, which is said first.
    """
    reports = report_accounts(KeptAccounts.of(accounts.ledger), name)
    if as_json:
        print_json({"accounts": [report.to_data() for report in reports]})
        return
    screen = Screen.of()
    if note:
        screen.notes.print(single_line(note))
    if not reports:
        screen.result.print("No account was opened yet; see `thrifty account open --help`.")
        return
    screen.result.print(account_tree(reports, time.time_ns() // NANO_PER_MS))
    if name is not None and (report := reports[0].find(name)):
        screen.result.print("", _describe_left(report), sep="\n")


def _describe_left(report: AccountReport) -> str:
    name = single_line(report.info.name)
    if report.balance.is_closed:
        what = name if report.info.is_closed else f"An account above {name}"
        return f"{what} is closed: nothing more is spent there."
    if report.balance.left.is_unlimited:
        return f"{name} can spend without limit."
    return f"{name} can still spend {describe_left(report.balance.left)}."

"""What commands share: the accounts in the ledger of the user's home, by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from thrifty.budget import AccountClosed, Budget, InvalidInput, ThriftyError
from thrifty.cli.saved_runs import RunsFolder
from thrifty.run.identity import RUN_KIND
from thrifty.settings import home_folder

if TYPE_CHECKING:
    from thrifty.ledger.records import AccountInfo
    from thrifty.ledger.sqlite import SqliteLedger

NO_ACCOUNT_REMEDY = "open it with `thrifty account open`; `thrifty account show` lists what is open"


@dataclass(frozen=True, slots=True)
class KeptAccounts:
    """The ledger of the user's home, and what accounts it has."""

    ledger: SqliteLedger
    infos: Mapping[str, AccountInfo]
    """All accounts by their names, in the order in which they were opened."""

    @classmethod
    def of(cls, ledger: SqliteLedger) -> KeptAccounts:
        """The accounts as they are now."""
        return cls(ledger, {info.name: info for info in ledger.accounts()})

    def require_account(self, field: str, name: str) -> AccountInfo:
        """An account that is there.

        Raises:
            InvalidInput: nobody has opened it.
        """
        info = self.infos.get(name)
        if info is None:
            raise InvalidInput(field, name, NO_ACCOUNT_REMEDY)
        return info

    def path(self, name: str) -> Iterator[AccountInfo]:
        """The account and those above it, the root last."""
        while name:
            yield (info := self.infos[name])
            name = info.parent

    def require_open_path(self, name: str) -> None:
        """That neither the account nor one above it was closed.

        Raises:
            AccountClosed: the lowest that was.
        """
        for info in self.path(name):
            if info.is_closed:
                raise AccountClosed(info.name)


@contextmanager
def open_kept_accounts(fields: Mapping[str, str] | None = None) -> Iterator[KeptAccounts]:
    """Opens the ledger, and closes it at the end.

    Args:
        fields: how a person typed what the ledger calls `account`, `parent`, `limits` or `zone`,
            for what it refuses.
    """
    with RunsFolder.of_user().open_ledger() as ledger:
        try:
            yield KeptAccounts.of(ledger)
        except InvalidInput as error:
            typed = (fields or {}).get(error.field, error.field)
            raise InvalidInput(typed, error.value, error.remedy) from error


def find_left(field: str, name: str) -> Budget:
    """What an account that a run is to be charged to has left.

    Raises:
        InvalidInput: nobody has opened it, or it is a run's own.
        AccountClosed: it was closed, or one above it.
    """
    with open_kept_accounts() as accounts:
        accounts.require_account(field, name)
        if is_run(name):
            raise InvalidInput(field, name, "name an account that you opened, and no run's own")
        accounts.require_open_path(name)
        return accounts.ledger.balance(name).left


def complete_account_name(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> Sequence[CompletionItem]:
    """The accounts whose names begin so, but for those of runs."""
    home = RunsFolder(home_folder())
    with suppress(ThriftyError):  # a shell that completes a word shows no errors
        if home.ledger_file.exists():
            with home.open_ledger() as ledger:
                names = [info.name for info in ledger.accounts()]
            shown = [name for name in names if not is_run(name)]
            return [CompletionItem(name) for name in shown if name.startswith(incomplete)]
    return []


def is_run(name: str) -> bool:
    """Whether an account is a run's own."""
    return name.startswith(RUN_KIND)


account_argument = click.argument("name", metavar="NAME", shell_complete=complete_account_name)
zone_option = click.option(
    "--zone", metavar="ZONE", help="The time zone of its days and months, such as Europe/Berlin."
)

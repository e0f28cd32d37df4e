"""What `thrifty doctor` looks at, one by one; each finding says what to do."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from thrifty.budget import Budget, LedgerUnavailable
from thrifty.budget.errors import ThriftyError
from thrifty.budget.plain_text import single_line
from thrifty.cli.finding import Finding, list_some
from thrifty.cli.model_checks import check_models
from thrifty.cli.private_files import (
    describe_narrowed,
    make_private_file,
    make_private_folder,
    narrow_home,
)
from thrifty.models.roles.model_roles import ModelRoles

if TYPE_CHECKING:
    from thrifty.ledger.sqlite import SqliteLedger


def check_environment(roles: ModelRoles, home: Path) -> Iterator[Finding]:
    """Looks at everything, and asks nothing that costs anything.

    Args:
        roles: the models that a run would ask.
        home: the folder where runs are kept.
    """
    yield from check_models(roles)
    storage = _check_storage(home)
    yield storage
    if not storage.exit_code and os.name != "nt":
        yield _check_privacy(home)


def _look_into(file: Path, act: Callable[[SqliteLedger], object]) -> None:
    from thrifty.ledger.sqlite import SqliteLedger

    ledger = SqliteLedger(file)
    try:
        act(ledger)
    finally:
        ledger.disconnect()


def _check_storage(home: Path) -> Finding:
    """Whether a ledger can be written there; what was written is taken away again."""
    trial = home / f"trial-{uuid4().hex}.sqlite"  # on the same disk, with the same rights
    where, failure = single_line(str(home)), ""
    try:
        make_private_folder(home)
        make_private_file(trial)
        _look_into(trial, lambda ledger: ledger.open("trial", Budget()))
        if (kept := home / "ledger.sqlite").exists():
            # A damaged file shows when it is read.
            _look_into(kept, lambda ledger: ledger.accounts())
        if fixed := [file.name for file in home.glob("*.sqlite") if not os.access(file, os.W_OK)]:
            failure = f"{where}: {', '.join(map(single_line, fixed))} cannot be written to"
    except (OSError, sqlite3.Error, ThriftyError, ValueError) as error:
        failure = f"{where} cannot be written to: {getattr(error, 'strerror', None) or error}"
    finally:
        for suffix in ("", "-wal", "-shm"):  # what SQLite makes beside it, too
            with suppress(OSError, ValueError):
                trial.with_name(f"{trial.name}{suffix}").unlink(missing_ok=True)
    if failure:
        remedy = "set THRIFTY_HOME to a folder that can be written to"
        return Finding("store", failure, remedy, LedgerUnavailable.exit_code)
    return Finding("store", f"{where} can be written to")


def _check_privacy(home: Path) -> Finding:
    """Whether the user alone can read what is kept. What others could read is made so."""
    where = single_line(str(home))
    found = narrow_home(home)
    if found.left:
        remedy = "set THRIFTY_HOME to a folder of your own that holds nothing else"
        if found.left == (home,):
            says = f"others can look into {where}, but not into what thrifty keeps there"
            return Finding("files", says, remedy)
        names = list_some(frozenset(path.name for path in found.left))
        return Finding("files", f"others can use {names}, in {where}", remedy)
    if found.narrowed:
        return Finding("files", describe_narrowed(found.narrowed))
    return Finding("files", f"only you can read what is kept in {where}")

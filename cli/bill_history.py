"""What commands share: the bills of earlier runs, in a store beside the runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from thrifty.cli.private_files import make_private_file
from thrifty.estimates.history import BillHistory, read_history
from thrifty.settings import home_folder

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore

BILLS_FILE = "estimates.sqlite"


@contextmanager
def open_bills(folder: Path) -> Iterator[BaseStore | None]:
    """The store in a folder; None where it cannot be opened: a run does without."""
    from thrifty.estimates.sqlite_store import open_store  # LangGraph: not for a help text

    make_private_file(folder / BILLS_FILE)
    with ExitStack() as stack:
        store = None
        with suppress(sqlite3.Error):  # damaged or locked: only estimates suffer
            store = stack.enter_context(open_store(folder / BILLS_FILE))
        yield store


def read_bills() -> BillHistory:
    """What the user's own runs came to; where there is no file, none is created."""
    folder = home_folder()
    if not (folder / BILLS_FILE).exists():
        return BillHistory({})
    with open_bills(folder) as store:
        return read_history(store) if store else BillHistory({}, "it is no file of bills")

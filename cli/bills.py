"""The bills of earlier runs, which the command line keeps beside its runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from thrifty.cli.request import Request
from thrifty.estimates.history import History, read_history
from thrifty.settings import home_folder

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore

FILE = "estimates.sqlite"


@contextmanager
def bills_in(folder: Path) -> Iterator[BaseStore | None]:
    """The store in a folder; None where it cannot be opened: a run does without."""
    from thrifty.estimates.file import open_store  # LangGraph: not for a help text

    with ExitStack() as stack:
        try:
            store = stack.enter_context(open_store(folder / FILE))
        except sqlite3.Error:
            store = None
        yield store


def earlier_bills() -> History:
    """What the user's own runs came to; nothing is made where nothing is."""
    folder = home_folder()
    if not (folder / FILE).exists():
        return History({})
    with bills_in(folder) as store:
        return read_history(store) if store else History({}, "it is no file of bills")


def bills_for(request: Request) -> History:
    """The bills that a request is to be estimated by; none where it is not to learn."""
    return earlier_bills() if request.context.learn else History({})

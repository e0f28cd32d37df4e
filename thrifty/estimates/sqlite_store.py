"""Bills kept in a file of one's own."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langgraph.store.sqlite import SqliteStore

BUSY_S = 5.0
"""How long to wait for another process."""


@contextmanager
def open_store(file: Path) -> "Iterator[SqliteStore]":
    """A store in an SQLite file, which is made when it is not there.

    Raises:
        sqlite3.Error: it cannot be opened, or is no such file.
    """
    from langgraph.store.sqlite import SqliteStore

    # The store begins its transactions itself, and is used from whatever thread a node has.
    connection = sqlite3.connect(
        file, timeout=BUSY_S, check_same_thread=False, isolation_level=None
    )
    with closing(connection):
        store = SqliteStore(connection)
        store.setup()
        yield store

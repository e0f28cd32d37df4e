"""Where checkpoints and the ledger are kept, and how much room the checkpoints take there."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver

from thrifty.ledger.memory import MemoryLedger
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.sqlite import SqliteLedger

BackendKind = Literal["memory", "sqlite", "postgres"]
BACKEND_KINDS: tuple[BackendKind, ...] = ("memory", "sqlite", "postgres")
TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
POOL_MAX = 16


@dataclass(frozen=True, slots=True)
class Backend:
    """A checkpointer, a ledger of the same kind, and what the checkpoints come to."""

    checkpointer: Any
    ledger: Ledger
    stored_bytes: Callable[[], int]
    """How many bytes of checkpoints were written and are kept, the history included."""


@contextmanager
def open_backend(kind: BackendKind, folder: Path, conninfo: str) -> Iterator[Backend]:
    """A fresh place; with PostgreSQL, tables that may hold other runs."""
    if kind == "memory":
        saver = InMemorySaver()
        yield Backend(saver, MemoryLedger(), lambda: _stored_in_memory(saver))
    elif kind == "sqlite":
        yield from _open_sqlite(folder)
    else:
        yield from _open_postgres(conninfo)


def _open_sqlite(folder: Path) -> Iterator[Backend]:
    connection = sqlite3.connect(folder / "checkpoints.sqlite", check_same_thread=False)
    ledger = SqliteLedger(folder / "ledger.sqlite")

    def stored() -> int:
        sums = (
            "SELECT coalesce(sum(length(checkpoint) + length(metadata)), 0) FROM checkpoints",
            "SELECT coalesce(sum(length(value)), 0) FROM writes",
        )
        return sum(connection.execute(sql).fetchone()[0] for sql in sums)

    yield Backend(SqliteSaver(connection), ledger, stored)
    ledger.disconnect()
    connection.close()


def create_tables(conninfo: str) -> None:
    """Makes the tables for checkpoints, which processes cannot do at the same moment."""
    from langgraph.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(conninfo) as saver:
        saver.setup()


def _open_postgres(conninfo: str) -> Iterator[Backend]:
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg.rows import dict_row
    from psycopg_pool import ConnectionPool

    from thrifty.ledger.postgres import PostgresLedger

    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    with ConnectionPool(
        conninfo, kwargs=options, min_size=1, max_size=POOL_MAX, timeout=600
    ) as pool:
        saver = PostgresSaver(pool)  # type: ignore[arg-type]  # its pool is one of dictionaries
        saver.setup()
        ledger = PostgresLedger(conninfo, wait_s=600)

        def stored() -> int:
            with pool.connection() as connection:
                sizes = (
                    connection.execute(
                        "SELECT coalesce(sum(pg_column_size(blob)), 0) AS n FROM checkpoint_blobs"
                    ),
                    connection.execute(
                        "SELECT coalesce(sum(pg_column_size(blob)), 0) AS n FROM checkpoint_writes"
                    ),
                    connection.execute(
                        "SELECT coalesce(sum(pg_column_size(checkpoint)"
                        " + pg_column_size(metadata)), 0) AS n FROM checkpoints"
                    ),
                )
                return sum(int(size.fetchone()["n"]) for size in sizes)

        yield Backend(saver, ledger, stored)
        ledger.disconnect()


def _stored_in_memory(saver: InMemorySaver) -> int:
    blobs = sum(len(value) for _, value in saver.blobs.values())
    writes = sum(len(write[2][1]) for task in saver.writes.values() for write in task.values())
    checkpoints = (
        kept
        for thread in saver.storage.values()
        for namespace in thread.values()
        for kept in namespace.values()
    )
    return blobs + writes + sum(len(c[0][1]) + len(c[1][1]) for c in checkpoints)

"""Several prepared statements in one round trip to a PostgreSQL server.

The driver's own pipeline sends each statement in a packet of its own, and takes three times as
long. This one puts them all into one packet, by the driver's interface to libpq.

Reference: "Pipeline Mode" in PostgreSQL's documentation of libpq.
"""

from __future__ import annotations

import selectors
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from thrifty.ledger.sql_rows import SqlRow

if TYPE_CHECKING:
    import psycopg
    from psycopg.pq.abc import PGconn, PGresult


class _Statement(NamedTuple):
    sql: str
    values: Sequence[Any]
    """As they are sent."""
    formats: Sequence[Any]
    note: Callable[[list[SqlRow]], None] | None


_statement_names: WeakKeyDictionary[psycopg.Connection[Any], dict[str, bytes]] = WeakKeyDictionary()
"""What the statements are called that each connection has prepared."""
_numbers = count(1)
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class StatementPipeline:
    """Statements that are sent together.

    Args:
        connection: one on which nothing else is under way.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        from psycopg import adapt, pq

        self._libpq = connection.pgconn
        self._transformer = adapt.Transformer(connection)
        self._format, self._status = adapt.PyFormat.AUTO, pq.ExecStatus
        self._names = _statement_names.setdefault(connection, {})
        self._queued: list[_Statement] = []

    def add(
        self, sql: str, values: SqlRow = (), note: Callable[[list[SqlRow]], None] | None = None
    ) -> None:
        """Adds a statement with `?` for each value.

        Args:
            sql: the statement.
            values: its values.
            note: is given the rows that it brings back.
        """
        dumped: Sequence[Any] = ()
        formats: Sequence[Any] = ()
        if values:
            dumped = self._transformer.dump_sequence(values, [self._format] * len(values))
            formats = self._transformer.formats or ()
        self._queued.append(_Statement(sql, dumped, formats, note))

    def run(self) -> str:
        """Runs all statements in order, and returns what the server says of the last.

        Raises:
            psycopg.Error: one failed, and those after it were not run.
        """
        self._libpq.enter_pipeline_mode()
        new = self._prepare_new()
        for sql, values, formats, _ in self._queued:
            self._libpq.send_query_prepared(self._names[sql], values, formats)
        self._libpq.pipeline_sync()
        self._send()
        results = self._receive()
        self._libpq.exit_pipeline_mode()
        if error := self._find_error(results):
            for sql in new:  # it may not be there
                del self._names[sql]
            raise error
        for statement, result in zip(self._queued, results[len(new) :], strict=True):
            if statement.note:
                statement.note(self._read_rows(result))
        return (results[-1].command_status or b"").decode()

    def _prepare_new(self) -> list[str]:
        new = list({sql: None for sql, *_ in self._queued if sql not in self._names})
        for sql in new:
            self._names[sql] = b"thrifty_%d" % next(_numbers)
            self._libpq.send_prepare(self._names[sql], _numbered_sql(sql))
        return new

    def _send(self) -> None:
        libpq = self._libpq
        with _Selector() as selector:
            while libpq.flush():  # more than the system takes at once
                selector.register(libpq.socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
                if selector.select()[0][1] & selectors.EVENT_READ:
                    libpq.consume_input()
                selector.unregister(libpq.socket)

    def _receive(self) -> list[PGresult]:
        """One result for each statement, those that were prepared first."""
        libpq = self._libpq
        results: list[PGresult] = []
        with _Selector() as selector:
            selector.register(libpq.socket, selectors.EVENT_READ)
            while True:
                while libpq.is_busy():
                    selector.select()
                    libpq.consume_input()
                result = libpq.get_result()
                if result is not None:
                    if result.status == self._status.PIPELINE_SYNC:
                        return results
                    results.append(result)
                elif libpq.status:  # the connection is lost
                    raise self._find_error(results) or _lost_connection_error(libpq)

    def _find_error(self, results: Iterable[PGresult]) -> psycopg.Error | None:
        from psycopg.errors import error_from_result

        failed = (each for each in results if each.status == self._status.FATAL_ERROR)
        return next((error_from_result(result) for result in failed), None)

    def _read_rows(self, result: PGresult) -> list[SqlRow]:
        if not result.ntuples:
            return []
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)


def _lost_connection_error(libpq: PGconn) -> psycopg.Error:
    from psycopg import OperationalError

    return OperationalError(libpq.get_error_message())


@lru_cache(maxsize=128)
def _numbered_sql(sql: str) -> bytes:
    """A statement with its values numbered, as the server wants them."""
    first, *rest = sql.split("?")
    return "".join([first, *(f"${i}{part}" for i, part in enumerate(rest, 1))]).encode()

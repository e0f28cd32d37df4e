"""What the threads of a PostgreSQL ledger do: transactions, for one piece of work or for many.

An account whose lock another process holds for long is set aside: calls on other accounts go on,
and those on this one wait elsewhere.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from thrifty.ledger.postgres_connections import (
    PostgresConnections,
    driver_sql,
    import_driver,
    make_execute,
)
from thrifty.ledger.postgres_tables import (
    SELECT_CLOCK,
    SELECT_UNLOCKED,
    KnownAccounts,
    LocksMissing,
    PostgresTables,
)
from thrifty.ledger.queued_work import QueuedWork
from thrifty.ledger.sql import SqlTables

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")
Tasks = Sequence[QueuedWork[Any]]

LOCK_WAIT_MS = 250
"""How long those who would be in the way of others wait for a lock."""
LONG_LOCK_WAIT_MS = 2_000
"""How long those wait at a time who are in nobody's way."""
BLOCKED_S = 5.0
"""How long an account counts as held by others, unless somebody gets its lock before."""
TRANSACTION_ATTEMPTS_MAX = 10
RETRY_PAUSE_S = 0.01
TRANSIENT_SQLSTATES = ("40001", "40P01", "23505", "57P", "08", "25P03")
"""Serialisation failure, deadlock, a key that another has added meanwhile, a server that stops or
starts, a lost connection, a transaction that was idle too long."""
BEGIN_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class AccountBlocked(Exception):
    """Another process holds the lock of an account that some work needs, and nothing was done."""


class PostgresTransactions:
    """Does pieces of work in transactions.

    Args:
        connections: where.
        clock: the time, in milliseconds since 1970. None asks the database.
    """

    def __init__(self, connections: PostgresConnections, clock: Callable[[], int] | None) -> None:
        self._connections, self._clock = connections, clock
        self._known = KnownAccounts()
        self._blocked_until_s: dict[int, float] = {}
        """The accounts that others hold, by number."""

    def close(self) -> None:
        """Closes the connections that nobody uses."""
        self._connections.close()

    def commit_calls(self, tasks: Tasks) -> None:
        """Does acts on single calls in a transaction that they share."""
        for task in tasks:
            task.is_attempted = True  # should it fail for all, each is tried by itself
        for _ in range(2):
            tasks = self._refuse_blocked(tasks)
            try:
                self._commit_together(tasks)
                return
            except import_driver().errors.LockNotAvailable:
                tasks = [task for task in tasks if not task.is_done]
                self._find_blocked(tasks)
        _refuse(tasks)

    def commit_blocked(self, tasks: Tasks) -> None:
        """Does acts whose accounts others hold, each account's in turn."""
        groups: dict[object, list[QueuedWork[Any]]] = {}
        for task in tasks:
            groups.setdefault(task.call.account if task.call else task, []).append(task)
        for group in groups.values():
            try:
                if group[0].call:
                    self._commit_together(group, LONG_LOCK_WAIT_MS)
                else:
                    self._commit_alone(group[0], LONG_LOCK_WAIT_MS)
            except import_driver().errors.LockNotAvailable:
                _refuse(group)
            except BaseException as error:  # noqa: BLE001 - their own threads raise it
                _fail(group, error)

    def do_each(self, tasks: Tasks) -> None:
        """Does each piece of work in a transaction of its own."""
        for task in tasks:
            if task.kind != "write":
                self._read(task)
                continue
            try:
                self._commit_alone(task)
            except import_driver().errors.LockNotAvailable:
                _refuse([task])

    def _commit_together(self, tasks: Tasks, lock_wait_ms: int | None = None) -> None:
        locks: frozenset[int] = frozenset()
        while tasks:
            attempt = partial(
                self._attempt_together, tasks=tasks, locks=locks, lock_wait_ms=lock_wait_ms
            )
            again, locks = self._insist(attempt)
            for task in tasks:
                if task not in again:
                    task.finish()
            tasks = again

    def _attempt_together(
        self,
        connection: psycopg.Connection[Any],
        tasks: Tasks,
        locks: Iterable[int],
        lock_wait_ms: int | None,
    ) -> tuple[Tasks, frozenset[int]]:
        """Does the tasks in one transaction, each of them wholly or not at all.

        Returns:
            Those that need more locks, and which. They are to be done in another one.
        """
        tables = PostgresTables(connection, self._known, self._clock)
        tables.begin([task.call for task in tasks if task.call], locks, lock_wait_ms)
        again, missing = [], set(locks)
        for task in tasks:
            try:
                task.attempt(tables)
            except LocksMissing as error:
                tables.roll_back()
                again.append(task)
                missing |= error.accounts
            except import_driver().Error:
                raise
            except BaseException:  # noqa: BLE001 - its own thread will see it
                tables.roll_back()
            else:
                tables.commit()
        tables.commit_changes()
        self._note_free(tables.locked)
        return again, frozenset(missing)

    def _commit_alone(self, task: QueuedWork[Any], lock_wait_ms: int | None = None) -> None:
        locks: frozenset[int] = frozenset()
        while not task.is_done:
            attempt = partial(
                self._attempt_alone, task=task, locks=locks, lock_wait_ms=lock_wait_ms
            )
            try:
                self._insist(attempt)
                task.finish()
            except LocksMissing as error:
                locks |= error.accounts

    def _attempt_alone(
        self,
        connection: psycopg.Connection[Any],
        task: QueuedWork[Any],
        locks: Collection[int],
        lock_wait_ms: int | None,
    ) -> None:
        tables = PostgresTables(connection, self._known, self._clock)
        tables.begin([task.call] if task.call else (), locks, lock_wait_ms)
        task.attempt(tables)
        tables.commit()
        tables.commit_changes()
        self._note_free(tables.locked)

    def _read(self, task: QueuedWork[Any]) -> None:
        def look(connection: psycopg.Connection[Any]) -> None:
            if task.kind == "read":
                connection.execute(BEGIN_READ)
            task.attempt(SqlTables(make_execute(connection), lambda: self._now_ms(connection)))
            if task.kind == "read":
                connection.execute(b"COMMIT")

        self._insist(look)
        task.finish()

    def _now_ms(self, connection: psycopg.Connection[Any]) -> int:
        if self._clock:
            return self._clock()
        (now_ms,) = connection.execute(driver_sql(SELECT_CLOCK)).fetchone() or (0,)
        return int(now_ms)

    def _insist(self, act: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Does something, and anew when that can help: an act that is done twice is done once."""
        for attempt in range(1, TRANSACTION_ATTEMPTS_MAX + 1):
            try:
                with self._connections.lend() as connection:
                    return act(connection)
            except import_driver().Error as error:
                if attempt == TRANSACTION_ATTEMPTS_MAX or not _is_transient(error):
                    raise
            # Random, so that two that came in each other's way do not meet again.
            time.sleep(RETRY_PAUSE_S * attempt * random.random())
        raise AssertionError("the last attempt returns or raises")

    def _refuse_blocked(self, tasks: Tasks) -> Tasks:
        """Refuses those whose accounts others are known to hold, and returns the rest."""
        now_s = time.monotonic()
        blocked = {n for n, until_s in list(self._blocked_until_s.items()) if until_s > now_s}
        if not blocked:
            return tasks
        _refuse(task for task in tasks if not blocked.isdisjoint(self._path(task)))
        return [task for task in tasks if not task.is_done]

    def _path(self, task: QueuedWork[Any]) -> Sequence[int]:
        return (self._known.path(task.call.account) if task.call else None) or ()

    def _find_blocked(self, tasks: Tasks) -> None:
        """Notes which of the accounts that some tasks need are held by others."""
        wanted = {number for task in tasks for number in self._path(task)}
        with self._connections.lend() as connection:
            connection.execute(b"BEGIN")
            rows = connection.execute(driver_sql(SELECT_UNLOCKED), (sorted(wanted),)).fetchall()
        until_s = time.monotonic() + BLOCKED_S
        self._blocked_until_s.update(dict.fromkeys(wanted.difference(*rows), until_s))

    def _note_free(self, accounts: Iterable[int]) -> None:
        if self._blocked_until_s:
            for number in accounts:
                self._blocked_until_s.pop(number, None)


def _refuse(tasks: Iterable[QueuedWork[Any]]) -> None:
    _fail(tasks, AccountBlocked())


def _fail(tasks: Iterable[QueuedWork[Any]], error: BaseException) -> None:
    """Tells those that are not done why."""
    for task in tasks:
        if not task.is_done:
            task.fail(error)


def _is_transient(error: Any) -> bool:
    """Whether another attempt may succeed: a conflict with another, or a lost connection."""
    if error.sqlstate is not None:
        return str(error.sqlstate).startswith(TRANSIENT_SQLSTATES)
    return (
        isinstance(error, import_driver().OperationalError)
        and "Timeout" not in type(error).__name__
    )

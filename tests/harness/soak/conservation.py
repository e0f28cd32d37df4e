"""What must hold in the ledger at any time, asked of the database itself, past the ledger.

Every counter is the sum of the entries that are booked in it, and within its limits. Every entry is
booked in windows that hold the moment of its reservation.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import psycopg

RESOURCES = ("tokens", "cost_nano_usd", "tool_calls")
"""Which are limited."""
OPEN = ("unsent", "pending", "granted")


def _columns(form: str) -> str:
    return ", ".join(form.format(resource) for resource in RESOURCES)


COUNTERS = f"""
SELECT c.id, a.name, c.period, c.starts_ms, c.ends_ms,
    {_columns("c.{}_max")}, {_columns("c.{}_spent")}, {_columns("c.{}_reserved")}
FROM thrifty_counters c JOIN thrifty_accounts a ON a.id = c.account
"""
ENTRIES = f"""
SELECT account, key, status, at_ms, counters, {_columns("reserved_{}")}, {_columns("charged_{}")}
FROM thrifty_entries WHERE account LIKE ?
"""


class Observer:
    """Looks at an account and all below it, on a connection of its own."""

    def __init__(self, address: str, pot: str) -> None:
        self._address, self._pot = address, pot
        self._connection: Any = None
        self._over = Event()
        self._error: BaseException | None = None
        self.looks = 0
        self.longest_s = 0.0
        """The longest time between two looks."""

    @contextmanager
    def watching(self, every_s: float) -> Iterator[None]:
        """Looks again and again, in a thread of its own, which waits for nobody.

        Raises:
            AssertionError: something did not hold.
        """
        thread = Thread(target=self._watch, args=(every_s,))
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
        self.check()

    def check(self) -> None:
        """Tells what was found so far.

        Raises:
            AssertionError: something did not hold.
        """
        if self._error is not None:
            raise self._error

    def _watch(self, every_s: float) -> None:
        last_s = time.monotonic()
        try:
            while not self._over.wait(every_s):
                if self._looked():
                    self.looks += 1
                    now_s = time.monotonic()
                    self.longest_s, last_s = max(self.longest_s, now_s - last_s), now_s
        except BaseException as error:  # noqa: BLE001 - it is told to whoever watches
            self._error = error
        finally:
            self.close()

    def _looked(self) -> bool:
        """Whether there was anything to look at: a database that restarts is none."""
        try:
            self.look()
        except psycopg.OperationalError:
            self.close()
            return False
        return True

    def look(self) -> int:
        """Checks everything; returns how many accounts of the pot there are.

        Raises:
            AssertionError: something does not hold.
        """
        counters, entries = self._snapshot()
        sums = {row[0]: [0] * 6 for row in counters if row[1].startswith(self._pot)}
        windows = {row[0]: row[3:5] for row in counters}
        for account, key, status, at_ms, booked, *amounts in entries:
            held = [int(n) if status in OPEN else 0 for n in amounts[:3]]
            added = [*map(int, amounts[3:]), *held]
            for number in map(int, booked.strip(",").split(",")):
                starts_ms, ends_ms = windows[number]
                assert starts_ms <= at_ms < ends_ms, f"{account} {key}: not in its window"
                if number in sums:
                    sums[number] = [a + b for a, b in zip(sums[number], added, strict=True)]
        for number, name, period, _, _, *amounts in counters:
            if number in sums:
                limits, used = amounts[:3], [int(n) for n in amounts[3:]]
                what = f"{name}, {period}: {used}"
                assert used == sums[number], (
                    f"{what} are not the sums of its entries, {sums[number]}"
                )
                for limit, spent, reserved in zip(limits, used[:3], used[3:], strict=True):
                    assert limit is None or spent + reserved <= int(limit), f"{what} over its limit"
        accounts = {row[1] for row in counters if row[0] in sums}
        assert accounts, f"there is no account {self._pot!r}"
        return len(accounts)

    def close(self) -> None:
        """Closes its connection; the next look opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _snapshot(self) -> tuple[list[Any], list[Any]]:
        """All counters, and the entries of the pot and below it, as they are at one time."""
        if self._connection is None:
            self._connection = _connected(self._address)
        is_file = isinstance(self._connection, sqlite3.Connection)
        execute, mark = self._connection.execute, "?" if is_file else "%s"
        execute("BEGIN" if is_file else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            counters = execute(COUNTERS).fetchall()
            entries = execute(ENTRIES.replace("?", mark), (f"{self._pot}%",)).fetchall()
        finally:
            execute("COMMIT")
        return counters, entries


def _connected(address: str) -> Any:
    if "host=" not in address:
        return sqlite3.connect(address, timeout=30, isolation_level=None)
    return psycopg.connect(address, autocommit=True)

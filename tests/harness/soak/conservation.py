"""What must hold in the ledger at any time, asked of the database itself, past the ledger.

An account's counters are the sums of its entries; it has spent what its own calls and its
sub-agents' accounts have; and what is spent and reserved is within its limits.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, NamedTuple

import psycopg

RESOURCES = ("tokens", "cost_nano_usd", "tool_calls")
"""Which are limited."""


class Sums(NamedTuple):
    """One resource of an account: its counters, and what they should be."""

    account: str
    limit: int | None
    spent: int
    reserved: int
    charged: int
    """By its entries."""
    held: int
    own: int
    """Charged by its calls, without what sub-agents were granted."""
    children: int
    """Spent by the accounts of its sub-agents."""

    def wrong(self) -> str:
        """What does not hold; empty when all does."""
        if self.spent != self.charged or self.reserved != self.held:
            return "its counters are not the sums of its entries"
        if self.spent != self.own + self.children:
            return "it has not spent what its calls and its sub-agents have"
        if self.limit is not None and self.spent + self.reserved > self.limit:
            return "it is over its limit"
        return ""


QUERY = """
SELECT a.name, a.{0}_max, a.{0}_spent, a.{0}_reserved,
    COALESCE(e.charged, 0), COALESCE(e.held, 0), COALESCE(e.own, 0), COALESCE(c.spent, 0)
FROM thrifty_accounts a
LEFT JOIN (
    SELECT account, SUM(charged_{0}) AS charged,
        SUM(CASE WHEN status IN ('unsent', 'pending') THEN reserved_{0}
            WHEN status = 'granted' AND reserved_{0} > charged_{0} THEN reserved_{0} - charged_{0}
            ELSE 0 END) AS held,
        SUM(CASE WHEN status IN ('granted', 'returned') THEN 0 ELSE charged_{0} END) AS own
    FROM thrifty_entries WHERE account >= '{1}' AND account < '{1}0' GROUP BY account
) e ON e.account = a.name
LEFT JOIN (
    SELECT parent, SUM({0}_spent) AS spent FROM thrifty_accounts
    WHERE parent >= '{1}' AND parent < '{1}0' GROUP BY parent
) c ON c.parent = a.name
WHERE a.name >= '{1}' AND a.name < '{1}0'
"""
"""In one statement, which sees the ledger at one time. `0` is what follows `/`."""


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
        """Checks everything; returns how many accounts there are.

        Raises:
            AssertionError: something does not hold.
        """
        accounts = 0
        for resource in RESOURCES:
            rows = self._ask(QUERY.format(resource, self._pot))
            for row in rows:
                sums = Sums(row[0], *(None if n is None else int(n) for n in row[1:]))
                assert not (wrong := sums.wrong()), f"{resource}: {wrong}: {sums}"
            accounts = len(rows)
        assert accounts, f"there is no account {self._pot!r}"
        return accounts

    def close(self) -> None:
        """Closes its connection; the next look opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, query: str) -> list[Any]:
        if self._connection is None:
            self._connection = _connected(self._address)
        rows: list[Any] = self._connection.execute(query).fetchall()
        return rows


def _connected(address: str) -> Any:
    if "host=" not in address:
        return sqlite3.connect(address, timeout=30, isolation_level=None)
    return psycopg.connect(address, autocommit=True)

"""The rows of an SQLite file, which stay read from one transaction to the next."""

from collections.abc import Callable

from thrifty.ledger.sql import Execute, SqlTables

SELECT_VERSION = "PRAGMA data_version"
"""Another number than last time, once another connection has committed a change."""
ROWS_KEPT_MAX = 20_000
"""Some 20 MB. Beyond it all rows are forgotten, and read anew when they are needed."""


class SqliteTables(SqlTables):
    """The rows as one connection reads and writes them, one transaction after another.

    Accounts, counters and leases are kept for as long as no other connection changes the file.
    Every act on a call needs them, and hardly anybody else writes them. Entries are read anew,
    since most are never looked at again.
    """

    def __init__(self, execute: Execute, clock: Callable[[], int]) -> None:
        super().__init__(execute, clock)
        self._version = 0
        """The data that was read."""
        self._is_kept = False
        """Whether the rows are those of a committed transaction: what fails leaves none behind."""

    def begin(self) -> None:
        """Goes on with what was kept, within a transaction, if nobody has changed it since."""
        (version,) = self._execute(SELECT_VERSION, ()).fetchone()
        if not self._is_kept or version != self._version:
            self.forget()
        self._version, self._is_kept = version, False

    def end(self) -> None:
        """Keeps the rows, once the transaction is committed."""
        self.forget_entries()
        self._is_kept = self.row_count <= ROWS_KEPT_MAX

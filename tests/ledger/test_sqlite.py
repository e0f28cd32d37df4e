"""What only a file can do: be full, locked, read-only, broken, or of another version."""

import gc
import os
import re
import resource
import sqlite3
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness.fork import fork_to
from tests.ledger.shorthand import CALL, USED, called
from thrifty.budget import Budget, InvalidInput, LedgerUnavailable
from thrifty.ledger import calls
from thrifty.ledger.ledger_thread import commit_together
from thrifty.ledger.queued_work import QueuedWork
from thrifty.ledger.records import Entry, Lease
from thrifty.ledger.sql_statements import ENTRY_COLUMNS, IS_OVERRUN, ORDER_BY_NUMBER
from thrifty.ledger.sqlite import SqliteLedger
from thrifty.ledger.sqlite_file import COMMITS_PER_CHECKPOINT, SqliteFile
from thrifty.ledger.thread_waker import make_waker

WAIT_S = 240
UNUSABLE = (
    r"^the ledger /.*ledger\.sqlite cannot be used \(.*\); "
    r"check that its disk has room, and that the file can be written$"
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path):
    opened = SqliteLedger(path, busy_ms=50)
    yield opened
    opened.disconnect()


@contextmanager
def full_disk():
    """No file of this process can grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def locked(path):
    """Somebody else is writing, and does not stop."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def troubles(path):
    return {"full": full_disk(), "locked": locked(path)}


@pytest.mark.parametrize("trouble", ["full", "locked"])
def test_no_reservation_without_a_place_to_write_it(ledger, path, trouble):
    """A clear error instead of a call, and all is well once the trouble is over."""
    called(ledger, "before")
    with troubles(path)[trouble], pytest.raises(LedgerUnavailable, match=UNUSABLE):
        ledger.reserve("run", "k", "Outline", CALL)
    assert [entry.key for entry in ledger.entries("run")] == ["before"]
    assert ledger.reserve("run", "k", "Outline", CALL).status == "pending"


@pytest.mark.parametrize("trouble", ["full", "locked"])
def test_what_cannot_be_settled_stays_reserved(ledger, path, trouble):
    """The error is loud, the reservation stands, and the settlement can be tried again."""
    called(ledger, "k")
    with troubles(path)[trouble], pytest.raises(LedgerUnavailable):
        ledger.settle("run", "k", USED, "an answer" * 10_000)
    assert ledger.balance("run").reserved == CALL
    assert ledger.settle("run", "k", USED).charged == USED


def test_a_file_that_cannot_be_written_is_refused():
    """Also where it can be read; the account in it is untouched."""
    folder = Path(tempfile.mkdtemp())
    ledger = SqliteLedger(folder / "ledger.sqlite")
    called(ledger)
    ledger.disconnect()
    (folder / "ledger.sqlite").chmod(0o444)
    folder.chmod(0o555)

    def act():
        if os.geteuid() == 0:
            os.setuid(65534)  # root may write everything
        with pytest.raises(LedgerUnavailable):
            ledger.reserve("run", "k", "Outline", CALL)

    assert os.waitpid(fork_to(act), 0)[1] == 0
    folder.chmod(0o755)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    """No ledger is made in a place that was mistyped."""
    with pytest.raises(LedgerUnavailable, match="unable to open"):
        SqliteLedger(tmp_path / "nowhere" / "ledger.sqlite").open("run", Budget())
    with pytest.raises(LedgerUnavailable, match="unable to open"):
        SqliteLedger(tmp_path / "nowhere" / "ledger.sqlite").balance("run")


def test_a_file_of_something_else_is_refused(path):
    """And left as it is."""
    path.write_bytes(b"a shopping list " * 1000)
    with pytest.raises(LedgerUnavailable, match="not a database"):
        SqliteLedger(path).open("run", Budget())
    assert path.read_bytes().startswith(b"a shopping list")


@pytest.mark.parametrize("name", [":memory:", ""])
def test_a_ledger_in_no_file_is_refused(name):
    """It would be gone with its connection."""
    with pytest.raises(InvalidInput) as refused:
        SqliteLedger(name)
    assert (refused.value.field, refused.value.value) == ("path", name)
    assert refused.value.remedy == "name a file, or use a MemoryLedger"


def test_an_sqlite_without_strict_tables_is_refused(path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 0))
    SqliteLedger(path).open("run", Budget())
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 9))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.36.9")
    told = r"^SQLite 3\.36\.9 is too old; use 3\.37 or later$"
    with pytest.raises(LedgerUnavailable, match=told):
        SqliteLedger(path).open("run", Budget())


def test_a_relative_path_names_the_same_file_wherever_the_process_goes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ledger = SqliteLedger("ledger.sqlite")
    called(ledger, "k")
    ledger.disconnect()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert ledger.balance("run").reserved == CALL
    ledger.disconnect()


def test_a_ledger_has_one_connection_a_process(ledger):
    """Made once, and made anew after it was closed."""
    called(ledger)
    connection = ledger._sqlite_storage._file._connection
    ledger.reserve("run", "k", "k", CALL)
    assert ledger._sqlite_storage._file._connection is connection
    ledger.disconnect()
    assert ledger._sqlite_storage._file._connection is None
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


def test_a_file_that_cannot_become_a_ledger_is_let_go(path, monkeypatch):
    """No connection to it stays open."""
    opened = []
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *a, **b: opened.append(connect(*a, **b)) or opened[-1]
    )
    path.write_bytes(b"a shopping list " * 1000)
    with pytest.raises(LedgerUnavailable, match=r"it is damaged, or no ledger$"):
        SqliteLedger(path).open("run", Budget())
    with pytest.raises(sqlite3.ProgrammingError):
        opened[0].execute("SELECT 1")


def test_a_ledger_that_nobody_holds_any_more_closes_its_file(path):
    """And ends its thread, without waiting until Python looks for cycles, after a refusal too."""
    others = set(threading.enumerate())
    ledger = SqliteLedger(path)
    ledger.open("run", Budget())
    with pytest.raises(KeyError):
        ledger.balance("nobody")
    connection = ledger._sqlite_storage._file._connection
    (thread,) = set(threading.enumerate()) - others
    gc.disable()
    try:
        del ledger
        thread.join(WAIT_S)
    finally:
        gc.enable()
    assert not thread.is_alive()
    assert not Path(f"{path}-wal").exists()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_others_are_waited_for_as_long_as_was_said(path):
    ledger = SqliteLedger(path, busy_ms=150)
    called(ledger)
    assert ledger._sqlite_storage._file._connection.execute("PRAGMA busy_timeout").fetchone() == (
        150,
    )
    with locked(path), pytest.raises(LedgerUnavailable, match=UNUSABLE):
        ledger.reserve("run", "k", "k", CALL)
    ledger.disconnect()


def test_the_log_can_wait_when_the_file_is_busy(ledger, path):
    """What is in it is as durable as what is in the file."""
    called(ledger)
    ledger._sqlite_storage._file._commits = 0
    with sqlite3.connect(path) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM thrifty_accounts").fetchall()
        assert ledger.reserve("run", "k", "k", CALL).status == "pending"
    reader.close()
    assert ledger._sqlite_storage._file._commits == 1


def test_what_needs_the_disk_less_can_be_said(path):
    ledger = SqliteLedger(path, synchronous="NORMAL")
    called(ledger)
    assert ledger._sqlite_storage._file._connection.execute("PRAGMA synchronous").fetchone() == (1,)
    ledger.disconnect()


def test_every_change_is_on_the_disk(ledger):
    """The durability that the docs state: synchronous=FULL (2), in a write-ahead log."""
    called(ledger)
    connection = ledger._sqlite_storage._file._connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)


def test_overruns_are_found_by_their_index(ledger):
    """A run asks after every step, and its entries are many."""
    called(ledger)
    connection = ledger._sqlite_storage._file._connection
    wanted = f"SELECT {', '.join(ENTRY_COLUMNS)} FROM thrifty_entries WHERE account = ?"
    asked = f"EXPLAIN QUERY PLAN {wanted} AND {IS_OVERRUN}{ORDER_BY_NUMBER}"
    plan = " ".join(row[-1] for row in connection.execute(asked, ("run",)))
    assert "USING INDEX thrifty_overruns" in plan


def test_the_log_does_not_grow_without_end(ledger, path):
    """It is moved into the file now and then, and used again from its start."""
    ledger.open("run", Budget())
    sizes = []
    for turn in range(4 * COMMITS_PER_CHECKPOINT):
        ledger.reserve("run", str(turn), "k", CALL)
        sizes.append(Path(f"{path}-wal").stat().st_size)
    assert max(sizes) < 1.5 * max(sizes[:COMMITS_PER_CHECKPOINT])


def test_a_thread_whose_own_work_fails_takes_nobody_with_it(ledger):
    """While the first waits for the file, three more come that are then committed together."""
    called(ledger)
    storage = ledger._sqlite_storage
    begun, go_on, done = threading.Event(), threading.Event(), []

    def hold(tables):
        begun.set()
        go_on.wait(WAIT_S)

    def interrupt(tables):
        calls.reserve(tables, calls.Caller.of("run"), Entry("m", "m", "pending", CALL, run="run"))
        raise KeyboardInterrupt

    def fail(tables):
        calls.reserve(tables, calls.Caller.of("run"), Entry("n", "n", "pending", CALL, run="run"))
        raise TypeError("of this work alone")

    def ask(act):
        try:
            done.append(act())
        except BaseException as error:  # noqa: BLE001 - told to the test
            done.append(type(error))

    acts = [
        lambda: storage.write(hold),
        lambda: storage.write(interrupt),
        lambda: ledger.reserve("run", "k", "k", CALL).key,
        lambda: storage.write(fail),
        lambda: ledger.reserve("run", "l", "l", CALL).key,
    ]
    threads = [threading.Thread(target=ask, args=(act,)) for act in acts]
    threads[0].start()
    assert begun.wait(WAIT_S)
    for number, thread in enumerate(threads[1:], 1):
        thread.start()
        while storage._queue._workplace.items.qsize() < number:
            thread.join(0.001)
    go_on.set()
    for thread in threads:
        thread.join(WAIT_S)
    assert set(done) == {None, KeyboardInterrupt, "k", TypeError, "l"}
    assert [entry.key for entry in ledger.entries("run")] == ["k", "l"]
    assert ledger.balance("run").reserved == CALL + CALL


def test_a_disk_that_one_of_several_fills_is_full_for_that_one_alone(ledger):
    """What is committed together fails together, and each then tries by itself."""
    called(ledger)
    file = ledger._sqlite_storage._file
    made, done = [], []

    def write_much(tables):
        tables.set_lease(Lease("run", "x" * 100, "o" * 4_000_000, 1, 0))

    def task(work):
        made.append(QueuedWork(work, "write", None, make_waker()))
        return made[-1]

    tasks = [
        task(lambda tables: done.append("first")),
        task(write_much),
        task(lambda tables: done.append("last")),
    ]
    pages = file._connection.execute("PRAGMA page_count").fetchone()[0]
    file._connection.execute(f"PRAGMA max_page_count = {pages + 100}")
    commit_together(tasks, file.commit)
    assert done == ["first", "last", "first", "last"]  # their rows are written at the end
    with pytest.raises(sqlite3.OperationalError, match="full"):
        tasks[1].take_result()
    assert tasks[0].take_result() is tasks[2].take_result() is None


class Held:
    """A ledger's file that somebody else has, and threads that wait for it."""

    def __init__(self, path, busy_ms, threads):
        self.ledger = SqliteLedger(path, busy_ms=busy_ms)
        called(self.ledger)
        self.threads = threads

    def ask(self):
        """What each of the threads gets, and how long it took."""

        def one(number):
            began_s = time.monotonic()
            try:
                got = self.ledger.reserve("run", f"k{number}", "k", CALL).status
            except LedgerUnavailable as error:
                got = str(error)
            return got, time.monotonic() - began_s

        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(one, range(self.threads)))


def test_none_of_many_threads_waits_for_a_locked_file_longer_than_was_said(path, monkeypatch):
    """They wait side by side: for each the time counts from when it asked."""
    held = Held(path, busy_ms=400, threads=8)
    turns, attempt = [], SqliteFile._attempt
    monkeypatch.setattr(
        SqliteFile, "_attempt", lambda file, tasks: turns.append(len(tasks)) or attempt(file, tasks)
    )
    with locked(path):
        results = held.ask()
    assert all(re.match(UNUSABLE, got) for got, _ in results)
    assert min(took_s for _, took_s in results) >= 0.4
    # One after another would be 16 turns and more, of a quarter of a second each.
    assert len(turns) < 8
    monkeypatch.undo()
    assert [got for got, _ in held.ask()] == ["pending"] * 8
    held.ledger.disconnect()

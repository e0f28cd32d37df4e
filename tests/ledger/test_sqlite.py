"""What only a file can do: be full, locked, read-only, broken, or of another version."""

import os
import resource
import sqlite3
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ledger.shorthand import CALL, USED, called
from thrifty.budget import Budget, InvalidInput, LedgerUnavailable, Spend
from thrifty.ledger.sql import AND_OVERRUN, ORDER_BY_NUMBER, SELECT_ENTRIES
from thrifty.ledger.sqlite import COMMITS_PER_CHECKPOINT, SqliteLedger

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
    opened.close()


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
    ledger.close()
    (folder / "ledger.sqlite").chmod(0o444)
    folder.chmod(0o555)
    child = os.fork()
    if not child:
        status = 1
        try:
            if os.geteuid() == 0:
                os.setuid(65534)  # root may write everything
            with pytest.raises(LedgerUnavailable):
                ledger.reserve("run", "k", "Outline", CALL)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
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
    ledger.close()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert ledger.balance("run").reserved == CALL
    ledger.close()


def test_a_ledger_has_one_connection_a_process(ledger):
    """Made once, and made anew after it was closed."""
    called(ledger)
    connection = ledger._sqlite_storage._connection
    ledger.reserve("run", "k", "k", CALL)
    assert ledger._sqlite_storage._connection is connection
    ledger.close()
    assert ledger._sqlite_storage._connection is None
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
    """At once, and not when Python next looks for cycles."""
    ledger = SqliteLedger(path)
    ledger.open("run", Budget())
    connection = ledger._sqlite_storage._connection
    del ledger
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_others_are_waited_for_as_long_as_was_said(path):
    ledger = SqliteLedger(path, busy_ms=150)
    called(ledger)
    assert ledger._sqlite_storage._connection.execute("PRAGMA busy_timeout").fetchone() == (150,)
    with locked(path), pytest.raises(LedgerUnavailable, match=UNUSABLE):
        ledger.reserve("run", "k", "k", CALL)
    ledger.close()


class Busy:
    """A connection while somebody else has the file."""

    def execute(self, statement):
        raise sqlite3.OperationalError("database is locked")


def test_the_log_can_wait_when_the_file_is_busy(ledger):
    """What is in it is as durable as what is in the file."""
    called(ledger)
    ledger._sqlite_storage._commits = 0
    ledger._sqlite_storage._checkpoint(Busy())


def test_what_needs_the_disk_less_can_be_said(path):
    ledger = SqliteLedger(path, synchronous="NORMAL")
    called(ledger)
    assert ledger._sqlite_storage._connection.execute("PRAGMA synchronous").fetchone() == (1,)
    ledger.close()


def test_every_change_is_on_the_disk(ledger):
    """The durability that the docs state: synchronous=FULL (2), in a write-ahead log."""
    called(ledger)
    connection = ledger._sqlite_storage._connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)


def test_overruns_are_found_by_their_index(ledger):
    """A run asks after every step, and its entries are many."""
    called(ledger)
    connection = ledger._sqlite_storage._connection
    asked = f"EXPLAIN QUERY PLAN {SELECT_ENTRIES}{AND_OVERRUN}{ORDER_BY_NUMBER}"
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


def test_an_interrupted_thread_takes_nobody_with_it(ledger):
    """Ctrl-C in the thread that commits for all: the others are committed all the same."""
    called(ledger)
    is_inside, go_on = threading.Event(), threading.Event()

    def interrupted(tables):
        is_inside.set()
        go_on.wait(240)
        raise KeyboardInterrupt

    caught = []

    def first():
        try:
            ledger._sqlite_storage.write(interrupted)
        except KeyboardInterrupt:
            caught.append(True)

    threads = [
        threading.Thread(target=first),
        threading.Thread(target=lambda: ledger.reserve("run", "k", "k", CALL)),
    ]
    threads[0].start()
    is_inside.wait(240)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert caught == [True]
    assert [entry.key for entry in ledger.entries("run")] == ["k"]


def test_a_thread_whose_own_work_fails_takes_nobody_with_it(ledger):
    """While the first waits for the file, two more come that are then committed together."""
    called(ledger)
    caught = []

    def odd(tables):
        raise TypeError("of this work alone")

    def fail():
        try:
            ledger._sqlite_storage.write(odd)
        except TypeError as error:
            caught.append(error)

    with ledger._sqlite_storage._lock:
        threads = [
            threading.Thread(target=lambda: ledger.reserve("run", "k", "k", CALL)),
            threading.Thread(target=lambda: ledger.reserve("run", "l", "l", CALL)),
            threading.Thread(target=fail),
        ]
        for number, thread in enumerate(threads, 1):
            thread.start()
            while len(ledger._sqlite_storage._group_commit._waiting) < number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert len(caught) == 1
    assert {entry.key for entry in ledger.entries("run")} == {"k", "l"}


def test_an_answer_survives_the_process(path):
    """Another process finds it under its key."""
    child = os.fork()
    if not child:
        ledger = SqliteLedger(path)
        called(ledger, "k")
        ledger.settle("run", "k", USED, "an answer")
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    ledger = SqliteLedger(path)
    assert ledger.reserve("run", "k", "Outline", Spend()).answer == "an answer"
    ledger.close()


def test_a_new_file_that_somebody_is_writing_is_waited_for(path):
    """SQLite refuses to turn the log on while another writes, whatever its busy timeout."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE somebodys (own INTEGER)")
    other.execute("BEGIN IMMEDIATE")
    committing = threading.Timer(0.2, other.execute, ["COMMIT"])
    committing.start()
    ledger = SqliteLedger(path)
    called(ledger, "k")
    assert [entry.key for entry in ledger.entries("run")] == ["k"]
    ledger.close()
    committing.join()
    other.close()

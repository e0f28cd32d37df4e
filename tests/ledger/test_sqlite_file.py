"""A ledger's file that is deleted or replaced while a process uses it is noticed, not written."""

import os
import threading
from pathlib import Path

import pytest

from tests.ledger.shorthand import CALL, USED, called
from thrifty.budget import Budget, LedgerUnavailable
from thrifty.ledger.sqlite import SqliteLedger
from thrifty.ledger.sqlite_file import SqliteFile

REPLACED = (
    r"^the ledger /.*ledger\.sqlite was deleted or replaced while this process used it; put it "
    r"back, or call `disconnect\(\)` to go on with the file that is there now$"
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path):
    """One in use, whose log is in its file."""
    opened = SqliteLedger(path)
    called(opened, "k")
    opened.disconnect()
    assert opened.entry("run", "k").status == "pending"
    yield opened
    opened.disconnect()


def files_of(path):
    return [Path(f"{path}{ending}") for ending in ("", "-wal", "-shm")]


ACTS = {
    "reserve": lambda ledger: ledger.reserve("run", "l", "l", CALL),
    "settle": lambda ledger: ledger.settle("run", "k", USED),
    "open": lambda ledger: ledger.open("other", Budget()),
    "balance": lambda ledger: ledger.balance("run"),
    "entries": lambda ledger: ledger.entries("run"),
}


@pytest.mark.parametrize("act", ACTS)
def test_a_file_that_was_deleted_is_noticed(ledger, path, act):
    """Nothing is written to where nobody would find it, and no new file is begun in silence."""
    elsewhere = path.with_name("kept.sqlite")
    os.link(path, elsewhere)
    for file in files_of(path):
        file.unlink()
    for _ in range(2):
        with pytest.raises(LedgerUnavailable, match=REPLACED):
            ACTS[act](ledger)
    assert not path.exists()
    ledger.disconnect()
    assert not path.exists()
    kept = SqliteLedger(elsewhere)
    assert [(entry.key, entry.status) for entry in kept.entries("run")] == [("k", "pending")]
    kept.disconnect()


def test_who_says_so_goes_on_with_the_file_that_is_there_now(ledger, path):
    for file in files_of(path):
        file.unlink()
    with pytest.raises(LedgerUnavailable, match=REPLACED):
        ledger.settle("run", "k", USED)
    ledger.disconnect()
    with pytest.raises(KeyError):
        ledger.balance("run")
    called(ledger, "m")
    assert [entry.key for entry in ledger.entries("run")] == ["m"]


def test_a_file_that_is_put_back_is_used_again(ledger, path):
    away = path.with_name("away.sqlite")
    path.rename(away)
    with pytest.raises(LedgerUnavailable, match=REPLACED):
        ledger.settle("run", "k", USED)
    away.rename(path)
    assert ledger.settle("run", "k", USED).charged == USED


def test_a_file_that_was_replaced_by_another_ledger_is_left_to_it(ledger, path):
    """Also its log, which has the name of ours."""
    for file in files_of(path):
        file.unlink()
    other = SqliteLedger(path)
    called(other, "theirs")
    with pytest.raises(LedgerUnavailable, match=REPLACED):
        ledger.reserve("run", "ours", "k", CALL)
    ledger.disconnect()
    assert Path(f"{path}-wal").stat().st_size
    other.reserve("run", "theirs too", "k", CALL)
    third = SqliteLedger(path)
    assert [entry.key for entry in third.entries("run")] == ["theirs", "theirs too"]
    other.disconnect()
    third.disconnect()


@pytest.mark.parametrize("is_there", [True, False])
def test_a_file_that_is_replaced_between_two_connections_is_noticed(ledger, path, is_there):
    """As after a fork, which closes the file."""
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    assert ledger._sqlite_storage._file._connection is None
    away = path.with_name("away.sqlite")
    path.rename(away)
    if is_there:
        other = SqliteLedger(path)
        called(other)
        other.disconnect()
    with pytest.raises(LedgerUnavailable, match=REPLACED):
        ledger.reserve("run", "l", "l", CALL)
    assert path.exists() == is_there
    away.replace(path)
    assert ledger.reserve("run", "l", "l", CALL).status == "pending"


def test_disconnect_before_the_next_use_takes_the_file_that_is_there(ledger, path):
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    path.unlink()
    ledger.disconnect()
    called(ledger)
    assert ledger.entries("run") == ()


def test_a_file_that_is_replaced_as_it_is_opened_is_opened_anew(path, monkeypatch):
    """Nobody knows whether the connection has the old one or the new one."""
    first, second = SqliteLedger(path), SqliteLedger(path.with_name("second.sqlite"))
    called(first, "first")
    called(second, "second")
    first.disconnect()
    second.disconnect()
    prepare, prepared = SqliteFile._prepare, []

    def replace(file, connection):
        prepare(file, connection)
        if not prepared:
            path.with_name("second.sqlite").replace(path)
        prepared.append(connection)

    monkeypatch.setattr(SqliteFile, "_prepare", replace)
    assert [entry.key for entry in first.entries("run")] == ["second"]
    assert len(prepared) == 2
    first.disconnect()


def test_a_file_that_is_deleted_as_it_is_opened_is_refused(path, monkeypatch):
    prepare = SqliteFile._prepare

    def delete(file, connection):
        prepare(file, connection)
        path.unlink()

    monkeypatch.setattr(SqliteFile, "_prepare", delete)
    with pytest.raises(LedgerUnavailable, match=REPLACED):
        SqliteLedger(path).open("run", Budget())


@pytest.mark.parametrize("act", ["balance", "reserve"])
def test_a_ledger_that_takes_long_delays_no_other(path, act):
    """Each has a thread of its own."""
    held, free = SqliteLedger(path), SqliteLedger(path.with_name("free.sqlite"))
    called(held)
    called(free)
    begun, release = threading.Event(), threading.Event()

    def hold(_):
        begun.set()
        release.wait(60)

    thread = threading.Thread(target=held._sqlite_storage.write, args=(hold,))
    waiting = threading.Thread(target=ACTS[act], args=(held,))
    thread.start()
    assert begun.wait(60)
    waiting.start()
    called(free, "k", "l")
    assert free.settle("run", "k", USED).charged == USED
    assert len(free.entries("run")) == 2
    assert thread.is_alive()
    assert waiting.is_alive()
    release.set()
    thread.join(60)
    waiting.join(60)
    held.disconnect()
    free.disconnect()

"""What a process still has open in a ledger is closed as it ends, and nobody else's."""

import os
import subprocess
import sys
import threading

import pytest

from thrifty import SqliteLedger
from thrifty.ledger import process_exit

END_S_MAX = 120
PRELUDE = """
import os, sys, threading
from thrifty import Budget, Spend, SqliteLedger
from thrifty.budget import LedgerUnavailable

ledger = SqliteLedger(sys.argv[1], busy_ms=600_000)
CALL = Spend(tokens=500, tool_calls=1)

def open_calls():
    ledger.open("team", Budget(max_tokens=10_000))
    for key in ("sent", "unsent"):
        ledger.reserve("team", key, key, CALL, unsent=key == "unsent")
"""
CLOSED = {"sent": "in_doubt", "unsent": "released"}


def run_program(path, program):
    command = [sys.executable, "-c", PRELUDE + program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=END_S_MAX, check=True)
    assert done.stderr == ""
    return done.stdout


def statuses(path):
    ledger = SqliteLedger(path)
    found = {entry.key: entry.status for entry in ledger.entries("team")}
    ledger.disconnect()
    return found


@pytest.mark.parametrize("how", ["", "sys.exit()", "threading.Thread(target=open_calls).start()"])
def test_open_calls_are_released_or_charged(tmp_path, how):
    program = how if "Thread" in how else f"open_calls()\n{how}"
    run_program(tmp_path / "books", program)
    assert statuses(tmp_path / "books") == CLOSED


def test_who_is_killed_leaves_them_to_the_next_sweep(tmp_path):
    path = tmp_path / "books"
    run_program(path, "open_calls()\nos._exit(0)")
    assert statuses(path) == {"sent": "pending", "unsent": "unsent"}
    SqliteLedger(path).sweep()
    assert statuses(path) == CLOSED


def test_what_could_not_be_written_is_written_at_the_end(tmp_path):
    program = """
open_calls()
write, failures = ledger._storage.write, []

def fail_once(*given, **named):
    if not failures:
        failures.append(True)
        raise LedgerUnavailable("the disk is full")
    return write(*given, **named)

ledger._storage.write = fail_once
try:
    ledger.settle("team", "sent", Spend(7), "an answer")
except LedgerUnavailable as error:
    print(error)
"""
    assert run_program(tmp_path / "books", program) == "the disk is full\n"
    assert statuses(tmp_path / "books") == {"sent": "settled", "unsent": "released"}


def test_a_ledger_that_is_locked_does_not_hold_up_the_end(tmp_path):
    """Somebody else writes for ten minutes. What stays open is closed by the next sweep."""
    program = """
import sqlite3
open_calls()
other = sqlite3.connect(sys.argv[1], isolation_level=None, check_same_thread=False)
other.execute("BEGIN IMMEDIATE")
"""
    run_program(tmp_path / "books", program)
    assert statuses(tmp_path / "books") == {"sent": "pending", "unsent": "unsent"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_fork_that_ends_closes_none_of_its_parents_calls(tmp_path):
    program = """
import warnings
warnings.simplefilter("ignore")
open_calls()
child = os.fork()
if not child:
    ledger.reserve("team", "child's", "child's", CALL)
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
print({entry.key: entry.status for entry in ledger.entries("team")})
"""
    told = run_program(tmp_path / "books", program)
    assert told == "{'sent': 'pending', 'unsent': 'unsent', \"child's\": 'in_doubt'}\n"
    assert statuses(tmp_path / "books") == {**CLOSED, "child's": "in_doubt"}


def test_all_end_in_their_order_whatever_one_of_them_raises(monkeypatch, caplog):
    ended = []

    class Member:
        def __init__(self, name):
            self.name = name

        def end_process(self):
            ended.append(self.name)
            if self.name == "ledger":
                raise OSError("no disk")

    stages = tuple(type(stage)() for stage in process_exit._STAGES)
    monkeypatch.setattr(process_exit, "_STAGES", stages)
    monkeypatch.setattr(process_exit, "_ending", threading.Event())
    members = [Member(name) for name in ("connection", "ledger", "lease", "call")]
    for member, stage in zip(members, reversed(stages), strict=True):
        process_exit.register_exit_aware(member, stage)
    process_exit._end_process()
    assert ended == ["call", "lease", "ledger", "connection"]


def test_a_daemon_thread_is_stopped_once_the_process_ends_and_no_other(monkeypatch):
    ending, passed = threading.Event(), []
    monkeypatch.setattr(process_exit, "_ending", ending)

    def go_on():
        process_exit.stop_if_ending()
        passed.append(threading.current_thread().name)

    def run(name, daemon, wait):
        thread = threading.Thread(target=go_on, name=name, daemon=daemon)
        thread.start()
        if wait:
            thread.join()

    run("before", daemon=True, wait=True)
    ending.set()
    run("a daemon", daemon=True, wait=False)
    run("thrifty-ledger", daemon=True, wait=True)
    run("no daemon", daemon=False, wait=True)
    assert passed == ["before", "thrifty-ledger", "no daemon"]

"""A Ctrl-C at any moment breaks no ledger, and a signal handler may ask it.

The main thread of a forked process is interrupted again and again, at moments that dice choose:
while it reserves, settles, reads, opens the file anew. Then every act must still work, there and
in another process, and the entries must add up.
"""

import gc
import os
import random
import signal
import subprocess
import sys
import threading
import time
from itertools import count

import pytest

from tests.harness.fork import fork_to
from tests.ledger.shorthand import CALL, USED
from tests.long_cases import long_but
from thrifty.budget import Budget, BudgetExceeded, ReservationClosed, Spend
from thrifty.ledger.sqlite import SqliteLedger

INTERRUPTS = 150
TURNS = 200
"""Acts between two alarms at the most: Python loses what is raised in a destructor."""
LATEST_S = 0.004
"""How long after it was set an alarm comes at the latest."""
WAIT_S = 60


def ended(child):
    """How a process ended; one that hangs is killed."""
    give_up_at_s = time.monotonic() + WAIT_S
    while time.monotonic() < give_up_at_s:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hung"


def set_alarm(dice):
    """Lets an alarm come soon, and early more often than late."""
    signal.setitimer(signal.ITIMER_REAL, 1e-6 + LATEST_S * dice.random() ** 3)


def use(ledger, dice, prefix):
    """Does acts of every kind until it is interrupted."""
    for number in range(TURNS):
        key = f"{prefix}/{number}"
        ledger.reserve("run", key, "k", CALL)
        ledger.settle("run", key, USED, "an answer")
        ledger.balance("run")
        if dice.random() < 0.03:
            ledger.disconnect()
        if dice.random() < 0.05:
            ledger.entries("run")


LEFT_S = 5


def wait_for_others(ledger):
    """Waits for what was left to be done by ledgers that nobody holds any more.

    An interrupt of a collected ledger's last line may leave its thread asleep. That holds nothing.
    """
    ledger.disconnect()
    gc.collect()
    for thread in threading.enumerate():
        if thread.name == "thrifty ledger":
            thread.join(LEFT_S)


def check_all_acts(ledger, prefix):
    """Every act works, and the entries add up, as `entries` itself makes sure."""
    ledger.reserve("run", f"{prefix} k", "k", CALL)
    ledger.settle("run", f"{prefix} k", USED)
    ledger.release("run", ledger.reserve("run", f"{prefix} l", "l", CALL).key)
    ledger.give_back(ledger.take("run", prefix))
    entries = ledger.entries("run")
    charged = {"settled": USED, "released": Spend(), "pending": Spend(), "in_doubt": CALL}
    assert all(entry.charged == charged[entry.status] for entry in entries)
    balance = ledger.balance("run")
    assert balance.spent.tokens == sum(entry.charged.tokens for entry in entries)
    pending = sum(entry.status == "pending" for entry in entries)
    assert balance.reserved.tokens == pending * CALL.tokens
    return len(entries)


@pytest.mark.parametrize("seed", long_but([1, 2, 3], 1))
def test_a_ctrl_c_at_any_moment_breaks_no_ledger(tmp_path, seed):
    path = tmp_path / "ledger.sqlite"
    SqliteLedger(path, synchronous="NORMAL").open("run", Budget(max_tokens=10**9))
    told, tell = os.pipe()
    wait, go_on = os.pipe()

    def act():
        dice = random.Random(seed)
        ledger = SqliteLedger(path, synchronous="NORMAL", busy_ms=1_000 * WAIT_S)
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        interrupts, calls = 0, count()
        while interrupts < INTERRUPTS:
            try:
                while True:  # on a busy machine the alarm comes when all is done
                    set_alarm(dice)
                    if dice.random() < 0.1:
                        ledger = SqliteLedger(path, synchronous="NORMAL", busy_ms=1_000 * WAIT_S)
                    use(ledger, dice, next(calls))
            except KeyboardInterrupt:
                interrupts += 1
        wait_for_others(ledger)
        assert check_all_acts(ledger, "interrupted") > INTERRUPTS / 2
        os.write(tell, b"x")
        os.read(wait, 1)  # with all that it may still hold

    child = fork_to(act)
    os.close(tell)
    try:
        assert os.read(told, 1) == b"x"
        other = SqliteLedger(path, synchronous="NORMAL", busy_ms=1_000)
        check_all_acts(other, "another")
        other.disconnect()
    finally:
        os.write(go_on, b"x")
        status = ended(child)
    assert status == 0


def test_a_ctrl_c_breaks_nothing_that_other_threads_do_themselves(tmp_path):
    """They commit in their own threads, which nobody interrupts, while the main one is."""
    path = tmp_path / "ledger.sqlite"

    def act():
        dice, stop = random.Random(5), threading.Event()
        ledger = SqliteLedger(path, synchronous="NORMAL", busy_ms=1_000 * WAIT_S)
        ledger.open("run", Budget(max_tokens=10**9))
        done = count()

        def work(name):
            for number in count():
                if stop.is_set():
                    return
                ledger.reserve("run", f"{name}/{number}", "k", CALL)
                ledger.settle("run", f"{name}/{number}", USED)
                next(done)

        others = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        for other in others:
            other.start()
        interrupts, calls = 0, count()
        while interrupts < INTERRUPTS:
            try:
                while True:
                    set_alarm(dice)
                    use(ledger, dice, next(calls))
            except KeyboardInterrupt:
                interrupts += 1
        stop.set()
        for other in others:
            other.join(WAIT_S)
        check_all_acts(ledger, "interrupted")
        settled = [entry for entry in ledger.entries("run") if entry.key[:2] in ("a/", "b/")]
        assert len(settled) == next(done) > 0
        assert all(entry.charged == USED for entry in settled)

    assert ended(fork_to(act)) == 0
    other = SqliteLedger(path, busy_ms=1_000)
    check_all_acts(other, "another")
    other.disconnect()


@pytest.mark.parametrize("seed", long_but([1, 2, 3], 1))
def test_a_signal_handler_may_ask_the_ledger_at_any_moment(tmp_path, seed):
    """Of the thread that it interrupted, which may be asking the same ledger."""
    path, other_path = tmp_path / "ledger.sqlite", tmp_path / "other.sqlite"

    def act():
        dice, asked = random.Random(seed), []
        ledger = SqliteLedger(path, synchronous="NORMAL", busy_ms=1_000 * WAIT_S)
        ledger.open("run", Budget(max_tokens=10**9))

        def ask(*_):
            key = f"handler/{len(asked)}"
            ledger.reserve("run", key, "k", CALL)
            ledger.settle("run", key, USED)
            if len(asked) % 50 == 0:
                SqliteLedger(other_path).open("run", Budget())  # and lets it go
            asked.append(key)
            if len(asked) < INTERRUPTS:
                set_alarm(dice)

        signal.signal(signal.SIGALRM, ask)
        set_alarm(dice)
        number = 0
        while len(asked) < INTERRUPTS:
            number += 1
            ledger.reserve("run", f"main/{number}", "k", CALL)
            ledger.settle("run", f"main/{number}", USED)
            if dice.random() < 0.03:
                ledger.disconnect()
        check_all_acts(ledger, "interrupted")
        settled = [entry.key for entry in ledger.entries("run") if entry.charged == USED]
        assert {*settled} == {*asked, *(f"main/{n + 1}" for n in range(number)), "interrupted k"}

    assert ended(fork_to(act)) == 0
    other = SqliteLedger(path, busy_ms=1_000)
    check_all_acts(other, "another")
    other.disconnect()


def test_a_refusal_that_is_interrupted_is_undone(tmp_path):
    """What is undone is undone wholly: an interrupt may come in the middle of that."""

    def act():
        dice = random.Random(4)
        ledger = SqliteLedger(tmp_path / "ledger.sqlite", synchronous="NORMAL")
        ledger.open("run", Budget(max_tokens=CALL.tokens))
        ledger.reserve("run", "all", "k", CALL)
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        interrupts, calls = 0, count()
        while interrupts < INTERRUPTS:
            try:
                while True:
                    set_alarm(dice)
                    for _ in range(TURNS):
                        with pytest.raises(BudgetExceeded):
                            ledger.reserve("run", f"k{next(calls)}", "k", Spend(1))
                        with pytest.raises(ReservationClosed):
                            ledger.settle("run", "unknown", USED)
            except KeyboardInterrupt:
                interrupts += 1
        assert [entry.key for entry in ledger.entries("run")] == ["all"]
        ledger.settle("run", "all", Spend(1))
        assert ledger.reserve("run", "k", "k", Spend(1)).status == "pending"

    assert ended(fork_to(act)) == 0


def test_a_process_that_was_interrupted_at_a_locked_file_ends(tmp_path):
    """It does not wait for the lock that the interrupted act still waits for."""
    path = tmp_path / "ledger.sqlite"
    holder = SqliteLedger(path)
    holder.open("run", Budget(max_tokens=10_000))
    code = f"""
import os, signal, threading
from thrifty.budget import Spend
from thrifty.ledger.sqlite import SqliteLedger
ledger = SqliteLedger({str(path)!r}, busy_ms=1_000 * 3600)
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    ledger.reserve("run", "k", "k", Spend(1))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    ready, go_on = threading.Event(), threading.Event()

    def hold(_):
        ready.set()
        go_on.wait(WAIT_S)

    holding = threading.Thread(target=holder._sqlite_storage.write, args=(hold,))
    holding.start()
    try:
        assert ready.wait(WAIT_S)
        ended = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=True,
        )
    finally:
        go_on.set()
        holding.join()
    assert (ended.stdout, ended.stderr) == ("interrupted\n", "")
    assert holder.entries("run") == ()
    holder.disconnect()

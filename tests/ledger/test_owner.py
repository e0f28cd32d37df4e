"""Who holds a run, and when that process is certainly gone."""

import os
import signal
import subprocess
import sys

import pytest

from tests.ledger.shorthand import CALL, called
from thrifty.budget import LeaseLost
from thrifty.ledger.owner import hold, is_gone, this_process

NAME_YOURSELF = "from thrifty.ledger.owner import this_process; print(this_process(), flush=True)"


@pytest.fixture
def other():
    """Another process, waiting, and what it calls itself."""
    program = f"{NAME_YOURSELF}; input()"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield process, process.stdout.readline().strip()
    process.kill()
    process.communicate()


def test_a_process_keeps_its_name():
    """And does not take itself for gone."""
    assert this_process() == this_process()
    assert str(os.getpid()) in this_process()
    assert not is_gone(this_process())


def test_who_runs_or_stands_still_is_not_gone(other):
    """A stopped process may thaw; the fence is what keeps it from spending then."""
    process, name = other
    assert not is_gone(name)
    process.send_signal(signal.SIGSTOP)
    assert not is_gone(name)


def test_who_was_killed_is_gone(other):
    """Also before its parent has buried it."""
    process, name = other
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_gone(name)
    process.wait()
    assert is_gone(name)


def test_a_number_that_is_anothers_by_now_is_gone(other):
    """Numbers are used again; the time at which a process started tells them apart."""
    _, name = other
    head, _, _ = name.rpartition(" ")
    assert is_gone(f"{head} 1]")


@pytest.mark.parametrize(
    "name", ["ann", "", "pid 1 on elsewhere [another-boot/pid:[1] 5]", "pid 99999999 on x [y 1]"]
)
def test_of_strangers_nothing_is_known(name):
    """Another machine's process is not gone because there is none of its number here."""
    assert not is_gone(name)


def test_a_run_is_taken_over_from_the_dead_and_from_nobody_else(ledger, other):
    """No timeout decides it."""
    process, name = other
    called(ledger)
    lease = ledger.take("run", name)
    ledger.reserve(lease, "k", "Outline", CALL)
    with pytest.raises(LeaseLost, match="is held by"):
        hold(ledger, "run", this_process())
    process.kill()
    process.wait()
    taken = hold(ledger, "run", this_process())
    assert (taken.owner, taken.fence) == (this_process(), lease.fence + 1)
    assert hold(ledger, "run", this_process()) == taken
    assert ledger.entries("run")[0].status == "in_doubt"

"""Who holds a run, and when that process is certainly gone."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledger.shorthand import CALL, called
from thrifty.budget import LeaseLost
from thrifty.ledger import owner
from thrifty.ledger.owner import hold, is_gone, new_owner, this_process

NAME_YOURSELF = "from thrifty.ledger.owner import this_process; print(this_process(), flush=True)"


@pytest.fixture(autouse=True)
def _nameless():
    """As if this process had just begun: it has not made its name yet."""
    owner._name_of.cache_clear()


@pytest.fixture
def other(request):
    """Another process, waiting, and what it calls itself."""
    program = f"{getattr(request, 'param', '')}{NAME_YOURSELF}; input()"
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


def test_a_name_says_where_the_process_runs_and_since_when():
    """A person can find it; and no other boot or container has one like it."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    namespace = Path("/proc/self/ns/pid").readlink()
    started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    named = f"pid {os.getpid()} on {socket.gethostname()} [{boot}/{namespace} {started}]"
    assert this_process() == named
    assert new_owner() != new_owner()
    assert new_owner().startswith(f"{named} #")
    assert not is_gone(new_owner())


@pytest.mark.parametrize(
    "other", ["open('/proc/self/comm', 'w').write('a) Z 1 2');"], indirect=True
)
def test_no_program_can_look_gone_by_its_name(other):
    """The kernel tells it in between, brackets and all."""
    assert not is_gone(other[1])


def test_where_the_kernel_tells_nothing_nobody_is_gone(monkeypatch):
    """There is a process of that number, and what it is cannot be read."""
    head, _, tail = this_process().partition(str(os.getpid()))
    monkeypatch.setattr(os, "kill", lambda pid, sign: None)
    assert not is_gone(f"{head}99999999{tail}")


def test_a_process_has_a_name_also_where_the_kernel_tells_nothing(monkeypatch):
    monkeypatch.setattr(owner, "_stat", lambda pid: None)
    assert this_process().endswith(" 0]")


def test_a_process_of_somebody_else_is_there(monkeypatch):
    def kill(pid, sign):
        assert sign == 0
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)
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


def test_one_run_of_an_account_is_taken_over_by_itself(ledger, other):
    """The others in the account stay whose they are."""
    process, name = other
    called(ledger)
    lease = hold(ledger, "run", name, run="one")
    assert lease.run == "one"
    hold(ledger, "run", name, run="two")
    assert ledger.holder("run") == ""
    assert (ledger.holder("run", "one"), ledger.holder("run", "two")) == (name, name)
    process.kill()
    process.wait()
    taken = hold(ledger, "run", this_process(), run="one")
    assert (taken.run, taken.owner, taken.fence) == ("one", this_process(), 2)
    assert (ledger.holder("run", "one"), ledger.holder("run", "two")) == (this_process(), name)

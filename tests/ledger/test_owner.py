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
from thrifty.ledger.owner import (
    end_owner,
    is_owner_gone,
    new_owner_name,
    process_name,
    take_or_take_over,
)

NAME_YOURSELF = "from thrifty.ledger.owner import process_name; print(process_name(), flush=True)"


@pytest.fixture(autouse=True)
def _nameless():
    """As if this process had just begun: it has not made its name yet, and keeps none of these."""
    owner.process_name.cache_clear()
    yield
    owner.process_name.cache_clear()


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
    assert process_name() == process_name()
    assert str(os.getpid()) in process_name()
    assert not is_owner_gone(process_name())


def test_a_name_says_where_the_process_runs_and_since_when():
    """A person can find it; and no other boot or container has one like it."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    namespace = Path("/proc/self/ns/pid").readlink()
    started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    named = f"pid {os.getpid()} on {socket.gethostname()} [{boot}/{namespace} {started}]"
    assert process_name() == named
    assert new_owner_name() != new_owner_name()
    assert new_owner_name().startswith(f"{named} #")
    assert not is_owner_gone(new_owner_name())


def test_an_owner_of_this_process_is_gone_once_it_has_ended(ledger):
    """Whoever was interrupted just after it took a lease has not noted that it has one."""
    mine = new_owner_name()
    called(ledger)
    lease = ledger.take("run", mine)
    with pytest.raises(LeaseLost):
        take_or_take_over(ledger, "run", new_owner_name())
    end_owner(mine)
    assert is_owner_gone(mine)
    assert take_or_take_over(ledger, "run", new_owner_name()).fence == lease.fence + 1
    end_owner(mine)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_fork_does_not_take_its_parents_owners_for_gone():
    mine = new_owner_name()
    if not (child := os.fork()):
        end_owner(mine)
        os._exit(is_owner_gone(mine))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    "other", ["open('/proc/self/comm', 'w').write('a) Z 1 2');"], indirect=True
)
def test_no_program_can_look_gone_by_its_name(other):
    """The kernel tells it in between, brackets and all."""
    assert not is_owner_gone(other[1])


def test_where_the_kernel_tells_nothing_nobody_is_gone(monkeypatch):
    """There is a process of that number, and what it is cannot be read."""
    head, _, tail = process_name().partition(str(os.getpid()))
    monkeypatch.setattr(os, "kill", lambda pid, sign: None)
    assert not is_owner_gone(f"{head}99999999{tail}")


def test_a_process_has_a_name_also_where_the_kernel_tells_nothing(monkeypatch):
    monkeypatch.setattr(owner, "_process_stat", lambda pid: None)
    assert process_name().endswith(" 0]")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="its kernel never tells")
def test_who_could_not_read_its_own_entry_is_not_taken_for_gone(monkeypatch):
    """Such as where too many files were open just then: neither by itself nor by others."""
    with monkeypatch.context() as then:
        then.setattr(owner, "_process_stat", lambda pid: None)
        unknown = process_name()
    assert not is_owner_gone(unknown)
    process_name.cache_clear()
    assert process_name() != unknown
    assert not is_owner_gone(unknown)


def test_a_process_of_somebody_else_is_there(monkeypatch):
    def kill(pid, sign):
        assert sign == 0
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)
    assert not is_owner_gone(process_name())


def test_who_runs_or_stands_still_is_not_gone(other):
    """A stopped process may thaw; the fence is what keeps it from spending then."""
    process, name = other
    assert not is_owner_gone(name)
    process.send_signal(signal.SIGSTOP)
    assert not is_owner_gone(name)


def test_who_was_killed_is_gone(other):
    """Also before its parent has buried it."""
    process, name = other
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_owner_gone(name)
    process.wait()
    assert is_owner_gone(name)


def test_a_number_that_is_anothers_by_now_is_gone(other):
    """Numbers are used again; the time at which a process started tells them apart."""
    _, name = other
    head, _, _ = name.rpartition(" ")
    assert is_owner_gone(f"{head} 1]")


@pytest.mark.parametrize(
    "name", ["ann", "", "pid 1 on elsewhere [another-boot/pid:[1] 5]", "pid 99999999 on x [y 1]"]
)
def test_of_strangers_nothing_is_known(name):
    """Another machine's process is not gone because there is none of its number here."""
    assert not is_owner_gone(name)


def test_a_run_is_taken_over_from_the_dead_and_from_nobody_else(ledger, other):
    """No timeout decides it."""
    process, name = other
    called(ledger)
    lease = ledger.take("run", name)
    ledger.reserve(lease, "k", "Outline", CALL)
    with pytest.raises(LeaseLost, match="is held by"):
        take_or_take_over(ledger, "run", process_name())
    process.kill()
    process.wait()
    taken = take_or_take_over(ledger, "run", process_name())
    assert (taken.owner, taken.fence) == (process_name(), lease.fence + 1)
    assert take_or_take_over(ledger, "run", process_name()) == taken
    assert ledger.entries("run")[0].status == "in_doubt"


def test_one_run_of_an_account_is_taken_over_by_itself(ledger, other):
    """The others in the account stay whose they are."""
    process, name = other
    called(ledger)
    lease = take_or_take_over(ledger, "run", name, run="one")
    assert lease.run == "one"
    take_or_take_over(ledger, "run", name, run="two")
    assert ledger.owner_of("run") == ""
    assert (ledger.owner_of("run", "one"), ledger.owner_of("run", "two")) == (name, name)
    process.kill()
    process.wait()
    taken = take_or_take_over(ledger, "run", process_name(), run="one")
    assert (taken.run, taken.owner, taken.fence) == ("one", process_name(), 2)
    assert (ledger.owner_of("run", "one"), ledger.owner_of("run", "two")) == (process_name(), name)

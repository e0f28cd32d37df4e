"""Time that stands while the process is stopped, and runs while it only waits for its turn."""

import os
import signal
import subprocess
import sys
import time

import pytest

from thrifty.budget import active_clock
from thrifty.budget.active_clock import ActiveClock

S = 1_000_000_000


class Machine:
    """A clock, and how much of that time the process has used a processor."""

    def __init__(self) -> None:
        self.now_ns, self.used_ns = 50 * S, 3 * S

    def go_on(self, seconds: float, used: float = 0.0) -> None:
        self.now_ns += round(seconds * S)
        self.used_ns += round(used * S)


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def clock(machine, monkeypatch):
    """A clock that is watched, and looks only when it is told to."""
    monkeypatch.setattr(active_clock.Thread, "start", lambda thread: None)
    return ActiveClock(lambda: machine.now_ns, lambda: machine.used_ns)


def test_time_in_which_the_process_was_stopped_does_not_count(clock, machine):
    with clock.watch():
        began_ns = clock.now_ns()
        machine.go_on(0.25)
        clock.look()
        machine.go_on(600)
        clock.look()
        machine.go_on(0.25)
        clock.look()
        assert clock.now_ns() - began_ns == pytest.approx(0.75 * S)


def test_who_asks_first_after_a_stop_notices_it(clock, machine):
    """A timer goes off as soon as the process goes on, and before anybody has looked."""
    with clock.watch():
        began_ns = clock.now_ns()
        machine.go_on(600)
        assert clock.now_ns() - began_ns == pytest.approx(0.25 * S)
        assert clock.now_ns() - began_ns == pytest.approx(0.25 * S)


@pytest.mark.parametrize(
    ("seconds", "used"),
    [(0.9, 0.0), (5, 4.5), (5, 20)],
    ids=["a short stop", "much work", "several processors"],
)
def test_a_busy_machine_is_not_taken_for_a_stop(clock, machine, seconds, used):
    with clock.watch():
        began_ns = clock.now_ns()
        machine.go_on(seconds, used)
        clock.look()
        assert clock.now_ns() - began_ns == round(seconds * S)


def test_while_nobody_watches_time_goes_by(clock, machine):
    """A process that waits for an hour between two runs has not been stopped."""
    began_ns = clock.now_ns()
    machine.go_on(3_600)
    assert clock.now_ns() - began_ns == 3_600 * S
    with clock.watch():
        machine.go_on(0.25)
        assert clock.now_ns() - began_ns == round(3_600.25 * S)


def test_it_never_goes_back(clock, machine):
    with clock.watch():
        seen = []
        for seconds, used in ((0.1, 0), (30, 0), (0.5, 0.5), (2, 0.1), (1.1, 0), (0.2, 0)):
            machine.go_on(seconds, used)
            seen.append(clock.now_ns())
            clock.look()
            seen.append(clock.now_ns())
        assert seen == sorted(seen)


def test_its_thread_ends_when_nobody_has_watched_for_a_while(monkeypatch):
    monkeypatch.setattr(active_clock, "LOOK_EVERY_S", 0.001)
    clock = ActiveClock()
    for _ in range(2):
        with clock.watch():
            assert clock._is_looking
        while clock._is_looking:
            time.sleep(0.001)


def test_where_no_thread_can_be_started_it_is_an_ordinary_clock(machine, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(active_clock.Thread, "start", refuse)
    clock = ActiveClock(lambda: machine.now_ns, lambda: machine.used_ns)
    with clock.watch():
        began_ns = clock.now_ns()
        machine.go_on(600)
        assert clock.now_ns() - began_ns == 600 * S


MEASURE = """
import sys
from thrifty import Result, Settings, Spend, Step, StepOption, create_budget_agent

def work(_):
    print("begun", flush=True)
    sys.stdin.readline()
    return Result("text", spend=Spend(10, 0, 0, 1))

option = StepOption("A", "A", "mine", "does A", Spend(10, 0, 9, 1), 5.0)
agent = create_budget_agent(
    settings=Settings(), catalog=[Step("A", (option,))], executors={"mine": work}
)
result = agent.invoke({"task": "a task", "budget": {"max_tokens": 100}})
print(result["spend"]["latency_ms"], flush=True)
"""
STOPPED_S = 4


@pytest.mark.long
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows stops no process so")
def test_a_run_that_is_stopped_by_ctrl_z_is_not_active():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", MEASURE], text=True, **pipes) as process:
        began_s = time.monotonic()
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        stopped_s = time.monotonic()
        time.sleep(STOPPED_S)
        stopped_s = time.monotonic() - stopped_s
        process.send_signal(signal.SIGCONT)
        told = process.communicate("\n")[0]
        all_s = time.monotonic() - began_s
    # Of the stop, no more counts than the time between two looks.
    assert 0 < int(told) / 1_000 < all_s - stopped_s + 1

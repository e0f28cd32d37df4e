"""The one event loop on which every model call runs."""

import asyncio
import subprocess
import sys
import time
from contextlib import suppress
from threading import Event, Thread, active_count

import pytest

from tests.harness.llm_server import Answer, LLMServer
from thrifty import SqliteLedger
from thrifty.budget.clock import ACTIVE_CLOCK
from thrifty.ledger.active_runs import CURRENT_DRIVER
from thrifty.models.wire.background_loop import BackgroundLoop, CallAbandoned, abandon_calls

ASKED_AT_ONCE = """
import sys
from threading import Barrier, Thread

sys.setswitchinterval(1e-6)
from thrifty.models.wire.background_loop import background_loop

found, begin = [], Barrier(32)

def ask():
    begin.wait()
    found.append(background_loop())

threads = [Thread(target=ask) for _ in range(32)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(set(map(id, found))))
"""


def test_threads_that_ask_for_the_first_time_at_once_get_one_loop():
    # A connection that two loops share loses an answer that was paid for.
    command = [sys.executable, "-c", ASKED_AT_ONCE]
    asked = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    assert asked.stdout.strip() == "1"


FORKED = """
import os, sys, warnings
from pathlib import Path

warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads is what is tested
from langchain_openai import ChatOpenAI
from thrifty import Budget, SqliteLedger, metered

ledger = SqliteLedger(Path(sys.argv[2]))
ledger.open("team", Budget(max_tokens=20_000))
model = metered(ChatOpenAI(model="gpt-4o", base_url=sys.argv[1], api_key="none"), ledger, "team")
print(model.invoke("before").text, flush=True)
for number in range(2):
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == 0
        print(model.invoke("after").text, flush=True)
    else:
        print(model.invoke("in a fork").text, flush=True)
        print("".join(piece.text for piece in model.stream("in a fork")), flush=True)
        sys.exit()
"""


def test_a_fork_asks_on_a_loop_and_on_connections_of_its_own(tmp_path):
    with LLMServer() as server:
        server.script(
            Answer("before", when="before"),
            Answer("in a fork", when="in a fork", times=None),
            Answer("after", when="after", times=None),
        )
        command = [sys.executable, "-c", FORKED, server.base_url, tmp_path / "books"]
        asked = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
        assert asked.stdout.split("\n")[:-1] == ["before", *["in a fork", "in a fork", "after"] * 2]
        assert not asked.stderr
        assert len(server.requests) == 7
        bill = server.bill
    spent = SqliteLedger(tmp_path / "books").balance("team").spent
    assert (spent.tokens, spent.tool_calls) == (bill.total_tokens, 7)


def test_a_call_is_given_up_at_its_deadline_even_if_it_swallows_its_cancellation():
    ended = []

    async def stubborn():
        for _ in range(3):
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                ended.append("swallowed")
        ended.append("ended")

    loop = BackgroundLoop()
    with pytest.raises(TimeoutError):  # and not after three hours
        loop.run(
            lambda left: loop.await_call(stubborn(), ACTIVE_CLOCK.now_ns() + 200_000_000, left)
        )
    wait_until(lambda: "ended" in ended)
    assert ended == ["swallowed"] * 3 + ["ended"]


def test_results_and_errors_come_back_and_no_thread_is_added():
    async def answer():
        return 5

    async def fail():
        raise LookupError("none")

    loop = BackgroundLoop()
    assert loop.run(lambda left: loop.await_call(answer(), None, left)) == 5
    threads = active_count()
    with pytest.raises(LookupError):
        loop.run(lambda left: loop.await_call(fail(), None, left))
    assert active_count() == threads


def wait_until(holds) -> None:
    give_up_at = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def test_a_deadline_waits_for_a_clock_that_stood_still(monkeypatch):
    """As when the process was stopped: its timers go off, and yet the call has time left."""
    now_ns, asked = [0], []

    def clock():
        asked.append(now_ns[0])
        now_ns[0] += 10_000_000 if len(asked) > 5 else 0
        return now_ns[0]

    monkeypatch.setattr("thrifty.models.wire.background_loop.now_ns", clock)
    loop = BackgroundLoop()
    with pytest.raises(TimeoutError):
        loop.run(lambda left: loop.await_call(asyncio.sleep(3_600), 30_000_000, left))
    assert len(asked) > 6


def test_who_calls_as_the_process_ends_is_told(monkeypatch):
    loop = BackgroundLoop()
    begun = Event()

    async def call(left):
        begun.set()
        await left.wait()
        return "settled"

    results = []
    thread = Thread(target=lambda: results.append(loop.run(call)))
    thread.start()
    assert begun.wait(240)
    loop.end_process()
    thread.join()
    assert results == ["settled"]
    with pytest.raises(CallAbandoned):
        loop.run(call)


def test_the_calls_of_one_invocation_are_ended_and_no_others(monkeypatch):
    loop, results = BackgroundLoop(), []

    async def call(left):
        await left.wait()
        return "abandoned"

    def drive(driver):
        CURRENT_DRIVER.set(driver)
        results.append((driver, loop.run(call)))
        with suppress(CallAbandoned):
            results.append((driver, loop.run(call)))

    threads = [Thread(target=drive, args=(driver,)) for driver in ("ann", "bob")]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(loop._under_way) == 2)
    abandon_calls("ann")
    threads[0].join()
    assert results == [("ann", "abandoned")]
    loop.abandon_all()
    wait_until(lambda: len(results) == 2)
    loop.end_process()
    threads[1].join()
    assert results[1:] == [("bob", "abandoned")] * 2

"""A run is driven by one invocation at a time; however that ends, the next can go on."""

import asyncio
import subprocess
import sys
import time
from threading import Event, Thread

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl
from langgraph.types import Command

from tests.graph.conftest import TASK, receipt_of
from thrifty import (
    Budget,
    Result,
    Settings,
    Spend,
    SqliteLedger,
    Step,
    StepOption,
    create_budget_agent,
)
from thrifty.budget import LeaseLost
from thrifty.graph.control import finish_now, prepare_resume
from thrifty.ledger.owner import process_name, take_or_take_over

THREAD = {"configurable": {"thread_id": "t"}}
ASKED = {"task": TASK, "budget": {"max_tokens": 100}}
RUN = "run:local/thread=t/run=1"
HOLD_AND_WAIT = """
import sys
from thrifty import Budget, Spend, SqliteLedger
from thrifty.ledger.owner import new_owner_name, take_or_take_over
ledger = SqliteLedger(sys.argv[1])
lease = take_or_take_over(ledger, "run:local/thread=t/run=1", new_owner_name())
ledger.reserve(lease, "steps/A.9", "A", Spend(30, 0, 0, 1))
print("held", flush=True)
input()
"""


def catalog():
    def step(name):
        option = StepOption(name, name, "mine", f"does {name}", Spend(10, 0, 9, 1), 5.0)
        return Step(name, (option,))

    return [step("A"), step("B")]


def answer(work):
    return Result("text", spend=Spend(10, 0, 0, 1))


@pytest.fixture
def agent_doing(offline):
    return lambda executor, **given: offline(
        catalog=catalog(), executors={"mine": executor}, checkpointer=InMemorySaver(), **given
    )


def test_of_two_that_drive_a_run_at_once_one_is_told(agent_doing, ledger):
    """While a step runs in one thread, another thread resumes the same run."""
    begun, may_end = Event(), Event()

    def slow(work):
        begun.set()
        assert may_end.wait(240)
        return answer(work)

    agent, results = agent_doing(slow), []
    first = Thread(target=lambda: results.append(agent.invoke(ASKED, THREAD)))
    first.start()
    assert begun.wait(240)
    with pytest.raises(LeaseLost, match="is held by"):
        agent.invoke(None, THREAD)
    may_end.set()
    first.join()
    assert results[0]["status"] == "done"
    assert receipt_of(results[0]).spent.tokens == 20
    assert ledger.owner_of(RUN) == ""


def test_two_answers_at_once_count_once(agent_doing, ledger):
    agent = agent_doing(answer)
    context = {"approve_plan": True}
    agent.invoke(ASKED, THREAD, context=context)
    results, told = [], []

    def answer_go():
        try:
            results.append(agent.invoke(Command(resume="go"), THREAD, context=context))
        except LeaseLost as error:
            told.append(error)

    threads = [Thread(target=answer_go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results
    assert len(results) + len(told) == 6
    assert ledger.balance(RUN).spent.tokens == 20


def interrupted(work):
    raise KeyboardInterrupt


@pytest.mark.parametrize("how", ["done", "asked", "stopped", "abandoned"])
def test_a_run_is_given_back_however_its_invocation_ends(agent_doing, ledger, how):
    agent = agent_doing(interrupted if how == "stopped" else answer)
    if how == "abandoned":
        parts = agent.stream(ASKED, THREAD)
        next(parts), next(parts)
        assert ledger.owner_of(RUN)
        parts.close()
    elif how == "stopped":
        with pytest.raises(KeyboardInterrupt):
            agent.invoke(ASKED, THREAD)
    else:
        agent.invoke(ASKED, THREAD, context={"approve_plan": how == "asked"})
    assert ledger.owner_of(RUN) == ""


@pytest.mark.parametrize("how", ["finished", "gone on with"])
def test_the_time_of_a_step_counts_though_its_run_is_stopped_before_the_check(agent_doing, how):
    """The next invocation reads it off the outcome: no spend check has seen it."""
    control = RunControl()

    def slow(work):
        time.sleep(0.2)
        if not control.drain_requested:
            control.request_drain("told to")
        return answer(work)

    agent = agent_doing(slow)
    with pytest.raises(GraphDrained):
        agent.invoke(ASKED, THREAD, durability="sync", control=control)
    assert agent.get_state(THREAD).next == ("check_spend",)
    if how == "finished":
        result, steps = finish_now(agent, THREAD, "told to"), 1
        assert receipt_of(result).decisions[-1].at_ms >= 200
    else:
        result, steps = agent.invoke(prepare_resume(agent, THREAD), THREAD), 2
    receipt = receipt_of(result)
    assert len([line for line in receipt.lines if line.status == "done"]) == steps
    assert receipt.spent.latency_ms >= 200 * steps


def test_a_cancelled_run_is_given_back_when_its_last_step_has_ended(agent_doing, ledger):
    begun, may_end, ended = Event(), Event(), Event()

    def slow(work):
        begun.set()
        may_end.wait(240)
        ended.set()
        return answer(work)

    agent = agent_doing(slow)

    async def cancelled():
        run = asyncio.ensure_future(agent.ainvoke(ASKED, THREAD))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert ledger.owner_of(RUN)
        with pytest.raises(LeaseLost):
            await agent.ainvoke(None, THREAD)
        may_end.set()
        while ledger.owner_of(RUN):
            await asyncio.sleep(0.01)
        assert ended.is_set()
        return await agent.ainvoke(None, THREAD)

    result = asyncio.run(cancelled())
    assert result["status"] == "done"
    assert receipt_of(result).spent.tokens == ledger.balance(RUN).spent.tokens


@pytest.mark.parametrize("limit", [100, 60, 200])
def test_another_process_holds_a_run_until_it_is_gone(tmp_path, limit):
    """And what it left open is charged in full, be it asked for again with another budget."""
    path = str(tmp_path / "ledger.sqlite")
    ledger = SqliteLedger(path)
    mine = create_budget_agent(
        settings=Settings(),
        ledger=ledger,
        catalog=catalog(),
        executors={"mine": answer},
        checkpointer=InMemorySaver(),
    )
    ledger.open(RUN, Budget(max_tokens=limit))
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD_AND_WAIT, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(LeaseLost, match=f"pid {other.pid} "):
        mine.invoke(ASKED, THREAD)
    other.kill()
    other.communicate()
    result = mine.invoke(ASKED, THREAD)
    assert result["status"] == "done"
    assert receipt_of(result).spent.tokens == 50
    assert ledger.balance(RUN).budget == Budget(max_tokens=100)
    assert take_or_take_over(ledger, RUN, process_name())

"""The uses from Python: invoke, stream, ainvoke, messages, threads, interrupts."""

import asyncio
import time
from itertools import pairwise

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from tests.graph.conftest import TASK, TUTORIAL_BUDGET, decisions_of, receipt_of
from tests.harness.llm_server import Answer
from tests.harness.llm_server.together import Together
from thrifty import InvalidInput, Plan, Result, Spend, Step, StepOption
from thrifty.ledger.active_runs import ActiveRuns


def test_a_result_has_all_that_was_promised(offline):
    result = offline().invoke({"task": TASK, "budget": TUTORIAL_BUDGET})
    assert set(result) == {
        *("answer", "draft", "results", "structured", "status", "halt_reason", "spend", "plan"),
        *("receipt", "messages"),
    }
    assert Spend.from_state(result["spend"]) == receipt_of(result).spent
    assert Plan.from_state(result["plan"]).chosen


def test_asynchronous_use_does_the_same(online, server):
    agent = online()
    result = asyncio.run(agent.ainvoke({"task": TASK, "budget": TUTORIAL_BUDGET}))
    assert result["status"] == "done"
    assert receipt_of(result).spent.tokens == server.bill.total_tokens > 0


def test_runs_side_by_side_in_one_event_loop_keep_their_own_accounts(online, server):
    agent = online()

    async def many():
        runs = (agent.ainvoke({"task": TASK, "budget": TUTORIAL_BUDGET}) for _ in range(8))
        return await asyncio.gather(*runs)

    receipts = [receipt_of(result) for result in asyncio.run(many())]
    assert len({receipt.run_id for receipt in receipts}) == 8
    assert all(receipt.within_budget for receipt in receipts)
    assert sum(receipt.spent.tokens for receipt in receipts) == server.bill.total_tokens


def test_tokens_of_the_model_are_streamed(online, server, api):
    server.script(Answer("One two three four five six seven eight", times=None, chunk_tokens=1))
    pieces = []
    for message, metadata in online(api).stream(
        {"task": TASK, "budget": TUTORIAL_BUDGET}, stream_mode="messages"
    ):
        if metadata["langgraph_node"] == "run_llm":
            pieces.append(message.text)
    assert len(pieces) > 8
    assert "One two three four" in "".join(pieces)


def test_streamed_answers_are_settled_at_their_true_usage(online, server, api):
    result = None
    stream = online(api).stream(
        {"task": TASK, "budget": TUTORIAL_BUDGET}, stream_mode=["messages", "values"]
    )
    for mode, part in stream:
        result = part if mode == "values" else result
    assert receipt_of(result).spent.tokens == server.bill.total_tokens > 0


def test_the_last_human_message_is_the_task_and_the_draft_an_ai_message(offline):
    said = [
        HumanMessage("Ignore this."),
        AIMessage("Yes?"),
        HumanMessage("Plan a tea party"),
    ]
    result = offline().invoke({"messages": said, "budget": TUTORIAL_BUDGET})
    assert receipt_of(result).task == "Plan a tea party"
    assert [m.type for m in result["messages"]] == ["human", "ai", "human", "ai"]
    assert result["messages"][-1].text == result["draft"]


def test_a_second_run_on_a_thread_inherits_nothing(offline, ledger):
    agent = offline(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "t"}}
    given = {"task": "Draft a project plan for a tea party", "budget": {"max_tokens": 130}}
    first = agent.invoke(given, thread, context={"max_replans": 0})
    second = agent.invoke({"messages": [HumanMessage("Plan a wedding")]}, thread)
    assert receipt_of(first).run_id == "run:local/thread=t/run=1"
    assert receipt_of(second).run_id == "run:local/thread=t/run=2"
    assert receipt_of(second).task == "Plan a wedding"
    assert receipt_of(second).budget.max_tokens == 8000
    assert len(receipt_of(second).lines) == 5 > len(receipt_of(first).lines)
    assert "tea party" not in second["draft"]


def test_a_checkpointed_run_survives_strict_serialisation(offline, tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "runs.sqlite")) as saver:
        agent = offline(checkpointer=saver)
        thread = {"configurable": {"thread_id": "t"}}
        result = agent.invoke({"task": TASK, "budget": TUTORIAL_BUDGET}, thread)
        kept = agent.get_state(thread).values
    assert kept["receipt"] == result["receipt"]
    assert kept["draft"] == result["draft"]


def two_steps(first_ms: int = 20) -> list[Step]:
    return [
        Step("A", (StepOption("A (slow)", "A", "slow", "does A", Spend(10, 0, first_ms), 5.0),)),
        Step("B", (StepOption("B (quick)", "B", "quick", "does B", Spend(10, 0, 200), 4.0),)),
    ]


@pytest.fixture
def work_for_ms(monkeypatch):
    """Lets time pass; it stands still otherwise, so that no step takes longer than it says."""
    now_ns = time.monotonic_ns()

    def work_for_ms(ms: int) -> None:
        nonlocal now_ns
        now_ns += ms * 1_000_000

    monkeypatch.setattr(time, "monotonic_ns", lambda: now_ns)
    monkeypatch.setattr(ActiveRuns.__init__, "__defaults__", (lambda: now_ns,))
    return work_for_ms


@pytest.fixture
def asking(offline, work_for_ms):
    """An agent whose first step uses up the latency, and what was called."""
    called: list[str] = []

    def slow(work):
        called.append("A")
        work_for_ms(300)
        return Result("a", spend=Spend(10))

    def quick(work):
        called.append("B")
        return Result("b", spend=Spend(10))

    executors = {"slow": slow, "quick": quick}
    agent = offline(catalog=two_steps(), executors=executors, checkpointer=InMemorySaver())
    return agent, called


THREAD = {"configurable": {"thread_id": "t"}}
ASK = {"on_drift": "ask"}
TIGHT = {"max_tokens": 100, "max_latency_ms": 450}


def test_a_person_is_asked_and_can_raise_the_budget(asking, work_for_ms):
    agent, called = asking
    waiting = agent.invoke({"task": "t", "budget": TIGHT}, THREAD, context=ASK)
    question = waiting["__interrupt__"][0].value
    assert question["reason"].endswith("short")
    assert question["spent"]["tokens"] == 10
    work_for_ms(500)  # waiting for a person is not latency
    raised = Command(resume={"budget": {"max_latency_ms": 2000}})
    result = agent.invoke(raised, THREAD, context=ASK)
    receipt = receipt_of(result)
    assert result["status"] == "done"
    assert called == ["A", "B"]
    assert receipt.spent.tokens == 20
    assert receipt.spent.latency_ms == 300
    assert receipt.budget.max_latency_ms == 2000
    assert receipt.budget.max_tokens == 100


def test_a_person_can_finish_with_what_there_is(asking):
    agent, called = asking
    agent.invoke({"task": "t", "budget": TIGHT}, THREAD, context=ASK)
    result = agent.invoke(Command(resume="finish"), THREAD, context=ASK)
    assert result["status"] == "halted"
    assert result["draft"] == "## A\n\na"
    assert called == ["A"]
    assert receipt_of(result).halt_reason == "a person chose to finish"


@pytest.mark.parametrize("nonsense", [5, "go on", {"budget": {"max_tkens": 5}}, {"budget": {}}])
def test_an_answer_that_makes_no_sense_is_refused_and_the_run_still_waits(asking, nonsense):
    agent, called = asking
    agent.invoke({"task": "t", "budget": TIGHT}, THREAD, context=ASK)
    waiting = agent.invoke(Command(resume=nonsense), THREAD, context=ASK)
    assert "error" in waiting["__interrupt__"][0].value
    result = agent.invoke(Command(resume="finish"), THREAD, context=ASK)
    assert result["status"] == "halted"
    assert called == ["A"]


def test_without_a_thread_nobody_can_be_asked_and_the_run_halts(offline, work_for_ms):
    agent = offline(
        catalog=two_steps(),
        executors={"slow": lambda work: work_for_ms(300) or "a", "quick": lambda work: "b"},
    )
    result = agent.invoke({"task": "t", "budget": TIGHT}, context=ASK)
    assert result["status"] == "halted"
    assert receipt_of(result).halt_reason.endswith("and nobody can be asked")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, r"task: got None; write some text"),
        ({"task": ""}, r"task: got ''; write some text"),
        ({"task": "t" * 100_001}, r"task: .*; use at most 100,000 characters"),
        ({"task": "t", "budget": {"max_tokens": -5}}, r"max_tokens: got -5; use a whole number"),
        ({"task": "t", "budget": {"max_token": 5}}, r"budget\.max_token: got 5; known fields"),
        ({"task": "t", "budget": {}}, r"budget: got \{\}; set at least one limit"),
        ({"task": "t", "run_id": "x" * 101}, r"run_id: .*; use at most 100 characters"),
    ],
)
def test_bad_input_is_refused_before_anything_is_spent(online, server, given, told):
    with pytest.raises(InvalidInput, match=told):
        online().invoke(given)
    assert not server.requests


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ({"outline_prompt": "no names"}, r"context\.outline_prompt: .*; add the placeholder"),
        ({"max_steps": -1}, "max_steps"),
        ({"engine": "magic"}, "engine"),
    ],
)
def test_a_bad_setting_is_refused_before_anything_is_spent(online, server, context, told):
    with pytest.raises(ValueError, match=told):
        online().invoke({"task": "t"}, context=context)
    assert not server.requests


def test_steps_side_by_side_overlap_and_keep_their_order(online, server):
    """Two answers wait for each other, which nobody gets who asks for them in turn."""
    agent, drafts = online(), {}
    for concurrency in (1, 4):
        if concurrency > 1:
            server.script(*[Together(barrier=asyncio.Barrier(2))] * 2)
        context = {"max_concurrency": concurrency, "propose_options": False}
        result = agent.invoke({"task": TASK, "budget": {"max_tokens": 20_000}}, context=context)
        drafts[concurrency] = [ln for ln in result["draft"].splitlines() if ln.startswith("## ")]
        assert decisions_of(result, "replan") == []
        if concurrency == 1:
            for before, after in pairwise(server.requests):
                assert before.ended_at_s <= after.received_at_s
    assert drafts[1] == drafts[4]

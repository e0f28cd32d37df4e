"""Runs over the SDK: their result, their stream, and the state that they leave."""

from collections import defaultdict

import pytest

from tests.harness.llm_server import Answer
from tests.studio.conftest import BUDGET, GRAPH, TASK
from thrifty import Budget, Outcome, Plan, Receipt, Spend, Step, StepOption
from thrifty.budget.decision import Decision

pytestmark = pytest.mark.studio

PROPOSAL = {
    "name": "Success measures",
    "description": "Say how success will be measured.",
    "executor": "llm",
    "tokens": 500,
    "latency_ms": 900,
    "tool_calls": 1,
    "value": 7.5,
}


def test_a_task_comes_back_as_a_draft_and_a_receipt_within_budget(run, models):
    result = run(input={"task": TASK, "budget": BUDGET})
    receipt = Receipt.from_state(result["receipt"])
    promised = "answer draft results structured status halt_reason spend plan receipt messages"
    assert set(result) == set(promised.split())
    assert result["status"] == "done"
    assert receipt.within_budget
    assert receipt.spent.tokens == models.bill.total_tokens > 0
    assert receipt.spent.tool_calls == len(models.requests) == 2
    assert "## Outline plan" in result["draft"]


def test_the_last_human_message_is_the_task_and_an_ai_message_comes_back(run, thread):
    said = [{"role": "user", "content": "Draft a project plan for a tea party"}]
    result = run(thread, input={"messages": said, "budget": BUDGET})
    assert Receipt.from_state(result["receipt"]).task == "Draft a project plan for a tea party"
    assert [message["type"] for message in result["messages"]] == ["human", "ai"]
    assert result["messages"][-1]["content"] == result["draft"] != ""
    # A chat goes on: the next message on the thread is the next task, on an account of its own.
    said = [{"role": "user", "content": "Plan a wedding"}]
    again = Receipt.from_state(run(thread, input={"messages": said})["receipt"])
    assert (again.run_id, again.task) == (
        f"run:local/thread={thread}/run=2",
        "Plan a wedding",
    )


def test_a_run_streams_nodes_states_and_the_models_words(client, thread, models):
    models.script(Answer("One two three four five six seven eight", times=None, chunk_tokens=1))
    given = {"input": {"task": TASK, "budget": BUDGET}}
    modes = ["updates", "values", "messages-tuple"]
    parts = defaultdict(list)
    for part in client.runs.stream(thread, GRAPH, **given, stream_mode=modes):
        parts[part.event].append(part.data)
    assert "error" not in parts
    nodes = [node for update in parts["updates"] for node in update]
    assert nodes[:3] == ["generate_options", "plan", "route"]
    assert nodes[-2:] == ["check_spend", "finish"]
    words = [m["content"] for m, meta in parts["messages"] if meta["langgraph_node"] == "run_llm"]
    assert len(words) > 8
    assert "One two three four five six seven eight" in "".join(words)
    assert parts["values"][0]["status"] == "running"
    last = Receipt.from_state(parts["values"][-1]["receipt"])
    assert last.spent.tokens == models.bill.total_tokens > 0


def test_every_domain_type_survives_in_the_state(client, run, thread, models):
    models.script(Answer({"steps": [PROPOSAL]}, when="propose three to five"))
    result = run(thread, input={"task": TASK, "budget": {"max_tokens": 20_000}})
    states = [state["values"] for state in client.threads.get_history(thread, limit=100)]
    seen = set()
    for state in states:
        for kind, plain in domain_of(state):
            assert kind.from_state(plain).to_state() == plain
            seen.add(kind)
    assert seen == {Budget, Spend, Plan, Step, StepOption, Outcome, Decision, Receipt}
    assert client.threads.get_state(thread)["values"]["receipt"] == result["receipt"]


def domain_of(state):
    """Every domain type in a state, with its plain data."""
    if run := state.get("run"):
        yield Budget, run["budget"]
    for name, kind in (("spend", Spend), ("plan", Plan), ("first_plan", Plan)):
        if state.get(name):
            yield kind, state[name]
    for name, kind in (("proposed", Step), ("outcomes", Outcome), ("decisions", Decision)):
        yield from ((kind, plain) for plain in state.get(name, ()))
    for assignment in state.get("assignments", ()):
        yield StepOption, assignment["option"]
        yield Spend, assignment["reserved"]
    if "receipt" in state:
        yield Receipt, state["receipt"]

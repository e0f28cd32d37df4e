"""A second message while a run is under way: LangGraph's four strategies, on the real server."""

import time
from typing import Any

import httpx
import pytest

from tests.harness.llm_server import Answer
from tests.long_cases import long_but
from tests.studio.conftest import BUDGET, GRAPH
from thrifty import Receipt

pytestmark = pytest.mark.studio

TEA, WEDDING = "Plan a tea party", "Plan a wedding"
STEADY = {"max_replans": 0, "learn": False, "recipe": "proposal"}
SLOW = Answer(tokens=300, delay_ms=1_500, times=None)


def asked(task: str) -> dict[str, Any]:
    return {"input": {"task": task, "budget": BUDGET}, "context": STEADY}


@pytest.fixture
def under_way(client, thread, models):
    """A run whose first call is at the model."""
    models.script(SLOW)
    first = client.runs.create(thread, GRAPH, **asked(TEA))
    while not models.requests:
        time.sleep(0.02)
    yield first["run_id"]
    while any(run["status"] in ("pending", "running") for run in client.runs.list(thread)):
        time.sleep(0.1)
    time.sleep(2)  # a call that was cut off is at the model for so long


def sent_by(models, task):
    """The calls for a task, and what they were billed."""
    return [request for request in models.requests if task in request.prompt]


def test_reject_leaves_the_first_run_as_it_is(client, thread, models, under_way):
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        client.runs.wait(thread, GRAPH, multitask_strategy="reject", **asked(WEDDING))
    client.runs.join(thread, under_way)
    receipt = Receipt.from_state(client.threads.get_state(thread)["values"]["receipt"])
    assert (receipt.task, receipt.status) == (TEA, "done")
    assert receipt.spent.tokens == models.bill.total_tokens
    assert not sent_by(models, WEDDING)


@pytest.mark.parametrize("task", long_but([WEDDING, TEA], TEA))
@pytest.mark.parametrize("strategy", long_but(["enqueue", "interrupt", "rollback"], "rollback"))
def test_the_second_run_begins_on_an_account_of_its_own(
    client, thread, models, under_way, strategy, task
):
    result = client.runs.wait(thread, GRAPH, multitask_strategy=strategy, **asked(task))
    receipt = Receipt.from_state(result["receipt"])
    assert (receipt.task, receipt.status) == (task, "done")
    assert receipt.run_id == f"run:local/thread={thread}/run=2"
    assert receipt.spent.tool_calls == BUDGET["max_tool_calls"]  # all of its own budget
    assert receipt.spent.tokens < models.bill.total_tokens
    if task == WEDDING:
        assert receipt.spent.tool_calls == len(sent_by(models, WEDDING))
    # The next message finds the one before it, whatever became of the first.
    models.clear()
    again = client.runs.wait(thread, GRAPH, **asked("Plan a funeral"))
    receipt = Receipt.from_state(again["receipt"])
    assert receipt.run_id == f"run:local/thread={thread}/run=3"
    assert receipt.spent.tokens == models.bill.total_tokens > 0


def going_back_to(client, thread, task):
    """The checkpoint at which the latest run of a task began."""
    states = client.threads.get_history(thread, limit=100)
    starts = [s for s in states if s["next"] == ["generate_options"]]
    return next(s["checkpoint"] for s in starts if s["values"]["task"] == task)


def test_who_goes_back_to_the_beginning_is_on_the_same_bill(client, run, thread, models):
    """Though a server gives it an id of its own: it is no second message."""
    run(thread, **asked(TEA))
    paid = models.bill
    for _ in range(2):
        start = going_back_to(client, thread, TEA)
        again = run(thread, input=None, checkpoint=start, context=STEADY)
        receipt = Receipt.from_state(again["receipt"])
        assert receipt.run_id == f"run:local/thread={thread}/run=1"
        assert models.bill == paid
        assert receipt.spent.tokens == paid.total_tokens


@pytest.mark.long
def test_the_beginning_after_a_rollback_is_that_of_the_second_run(
    client, run, thread, models, under_way
):
    client.runs.wait(thread, GRAPH, multitask_strategy="rollback", **asked(WEDDING))
    start = going_back_to(client, thread, WEDDING)
    again = run(thread, input=None, checkpoint=start, context=STEADY)
    assert Receipt.from_state(again["receipt"]).run_id == f"run:local/thread={thread}/run=2"

"""Studio's "fork": a run goes on from an earlier state of its thread, and pays nothing twice."""

import pytest

from tests.harness.llm_server import Unauthorized
from tests.studio.conftest import BUDGET, TASK
from thrifty import Receipt

pytestmark = pytest.mark.studio

STEADY = {"max_replans": 0}


def before_the_plan(client, thread):
    """The checkpoint at which nothing but the options is known."""
    states = client.threads.get_history(thread, limit=100)
    return [state["checkpoint"] for state in states if state["next"] == ["plan"]][-1]


def test_a_fork_is_on_the_same_bill_and_within_the_same_budget(client, run, thread, models):
    run(thread, input={"task": TASK, "budget": BUDGET}, context=STEADY)
    again = run(thread, input=None, checkpoint=before_the_plan(client, thread), context=STEADY)
    receipt = Receipt.from_state(again["receipt"])
    assert receipt.spent.tokens == models.bill.total_tokens > 0
    assert receipt.spent.tool_calls == len(models.requests)
    assert receipt.within_budget


def test_a_fork_from_before_a_refused_call_books_the_call_that_it_makes(
    client, run, thread, models
):
    models.script(Unauthorized(times=None))
    run(thread, input={"task": TASK, "budget": BUDGET}, context=STEADY)
    models.clear()
    again = run(thread, input=None, checkpoint=before_the_plan(client, thread), context=STEADY)
    assert Receipt.from_state(again["receipt"]).spent.tokens == models.bill.total_tokens

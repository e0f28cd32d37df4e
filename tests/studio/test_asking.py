"""`on_drift: ask`: a run waits for a person, who answers through the SDK."""

import pytest

from tests.harness.llm_server import Answer
from tests.studio.conftest import BUDGET, TASK
from thrifty import Receipt, Spend

pytestmark = pytest.mark.studio

ASK = {"on_drift": "ask", "learn": False}  # each run is as surprised as the first


@pytest.fixture
def waiting(run, thread, models):
    """A thread whose run waits, since the model's answers are three times as long as planned."""
    models.script(Answer(tokens=1500, times=None))
    result = run(thread, input={"task": TASK, "budget": BUDGET}, context=ASK)
    (question,) = result["__interrupt__"]
    assert "tokens short; gpt-5 came to" in question["value"]["reason"]
    return question["value"]


def test_a_raised_budget_lets_the_run_go_on_and_bills_nothing_twice(
    client, run, thread, models, waiting
):
    assert client.threads.get(thread)["status"] == "interrupted"
    assert client.threads.get_state(thread)["next"] == ["approve"]
    assert Spend.from_state(waiting["spent"]).tokens == models.bill.total_tokens
    calls_before = len(models.requests)
    raised = {"budget": {"max_tokens": 20_000, "max_tool_calls": 10}}
    result = run(thread, command={"resume": raised}, context=ASK)
    receipt = Receipt.from_state(result["receipt"])
    assert result["status"] == "done"
    assert receipt.budget.max_tokens == 20_000
    assert receipt.spent.tokens == models.bill.total_tokens > waiting["spent"]["tokens"]
    assert receipt.spent.tool_calls == len(models.requests) > calls_before
    prompts = [request.prompt for request in models.requests]
    assert len(set(prompts)) == len(prompts)


def test_a_person_can_finish_with_what_there_is(run, thread, models, waiting):
    calls_before = len(models.requests)
    result = run(thread, command={"resume": "finish"}, context=ASK)
    receipt = Receipt.from_state(result["receipt"])
    assert (result["status"], receipt.halt_reason) == ("halted", "a person chose to finish")
    assert "## Outline plan" in result["draft"]
    assert len(models.requests) == calls_before


@pytest.mark.long
def test_an_answer_that_makes_no_sense_is_refused_and_the_run_still_waits(run, thread, waiting):
    result = run(thread, command={"resume": {"budget": {"max_tkens": 5}}}, context=ASK)
    (question,) = result["__interrupt__"]
    assert question["value"]["error"].startswith("budget.max_tkens: got 5; known fields: ")


def test_a_run_without_a_thread_cannot_be_asked_and_halts(run, models):
    models.script(Answer(tokens=1500, times=None))
    result = run(input={"task": TASK, "budget": BUDGET}, context=ASK)
    assert result["status"] == "halted"

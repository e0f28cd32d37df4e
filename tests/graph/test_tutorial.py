"""Everything that the tutorial does, done for real."""

import pytest

from tests.graph.conftest import TASK, TUTORIAL_BUDGET, decisions_of, receipt_of
from thrifty import Budget, Plan, Spend

BUDGET = {**TUTORIAL_BUDGET, "max_latency_ms": 3500}
LLM_STEPS = ["Outline plan (LLM)", "Quality pass (LLM)"]


def test_offline_the_local_executors_do_the_work(offline):
    result = offline().invoke({"task": TASK, "budget": BUDGET})
    receipt = receipt_of(result)
    assert result["status"] == "done"
    assert decisions_of(result, "offline") == [
        "no key and no server: models are out of reach, local executors do the work"
    ]
    assert {line.executor for line in receipt.lines} == {"local"}
    assert len(receipt.lines) == 5
    assert receipt.spent.tool_calls == receipt.spent.tokens == 0
    assert "logistics dashboard" in result["draft"].lower()
    for heading in ("Clarify deliverables", "Outline plan", "Risk register", "Timeline"):
        assert f"## {heading}" in result["draft"]


def test_with_a_model_two_calls_are_made_within_the_budget(online, server, api):
    result = online(api).invoke({"task": TASK, "budget": BUDGET})
    receipt = receipt_of(result)
    assert result["status"] == "done"
    assert [line.label for line in receipt.lines if line.executor == "llm"] == LLM_STEPS
    assert [request.api for request in server.requests] == [api, api]
    assert receipt.spent.tokens == server.bill.total_tokens > 0
    assert receipt.spent.tool_calls == 2
    assert receipt.within_budget


def test_the_plan_says_why_every_other_option_was_left_out(offline):
    result = offline().invoke({"task": TASK, "budget": BUDGET})
    left_out = {left.option: left.reason for left in Plan.from_state(result["plan"]).left_out}
    assert left_out == dict.fromkeys(
        [
            "Outline plan (LLM)",
            "Risk register (LLM)",
            "Timeline (LLM)",
            "Quality pass (LLM)",
        ],
        "offline: no key and no server",
    )


def test_the_receipt_sets_the_estimate_beside_the_actual_spend(online, ledger):
    result = online().invoke({"task": TASK, "budget": BUDGET})
    receipt = receipt_of(result)
    outline = next(line for line in receipt.lines if line.label == "Outline plan (LLM)")
    assert outline.planned == Spend(600, 0, 1200, 1)
    entry = next(e for e in ledger.entries(receipt.run_id) if e.label == outline.label)
    assert outline.actual == entry.charged
    assert receipt.planned == Spend(1870, 0, 2940, 2)
    assert receipt.value == pytest.approx(33.8)


def test_the_limit_that_kept_better_options_out_is_named(online):
    result = online().invoke({"task": TASK, "budget": BUDGET})
    assert "tool_calls" in receipt_of(result).bound_by


def test_a_run_without_a_budget_has_the_agents_own(offline):
    result = offline(budget=Budget(max_tokens=500)).invoke({"task": TASK})
    assert receipt_of(result).budget == Budget(max_tokens=500)


def test_a_budget_in_the_input_goes_before_the_contexts_and_the_agents(offline):
    agent = offline(budget=Budget(max_tokens=500))
    context = {"max_tokens": 600}
    given = agent.invoke({"task": TASK, "budget": {"max_tokens": 700}}, context=context)
    assert receipt_of(given).budget.max_tokens == 700
    assert receipt_of(agent.invoke({"task": TASK}, context=context)).budget.max_tokens == 600

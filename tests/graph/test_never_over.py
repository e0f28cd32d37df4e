"""Promise 1, never over: whatever the server does, the bill is within the budget."""

import random

import pytest

from tests.graph.conftest import TASK, TUTORIAL_BUDGET, receipt_of
from tests.harness.llm_server import Answer, LongAnswer
from tests.harness.lost_time import lost_time
from thrifty import Budget


@pytest.mark.parametrize("tokens", [1, 50, 130, 400, 700, 1000, 1500, 2200, 5000, 20_000])
def test_tokens(online, server, tokens):
    server.script(LongAnswer(times=None))
    result = online().invoke({"task": TASK, "budget": {"max_tokens": tokens}})
    assert receipt_of(result).within_budget
    assert server.bill.total_tokens <= tokens


@pytest.mark.parametrize("usd", [0, 0.0001, 0.003, 0.01, 0.02, 0.1])
def test_money(online, server, usd):
    server.script(Answer(tokens=3000, times=None))
    result = online().invoke({"task": TASK, "budget": {"max_cost_usd": usd}})
    receipt = receipt_of(result)
    assert receipt.within_budget
    assert Budget(max_cost_usd=usd).covers(receipt.spent)
    # gpt-5: 1.25 dollars a million tokens in, 10 out.
    bill_nano_usd = server.bill.input_tokens * 1_250 + server.bill.output_tokens * 10_000
    assert receipt.spent.cost_nano_usd == bill_nano_usd <= usd * 10**9


@pytest.mark.parametrize("calls", [0, 1, 2, 3, 10])
def test_calls(online, server, calls):
    result = online().invoke({"task": TASK, "budget": {"max_tool_calls": calls}})
    assert receipt_of(result).within_budget
    assert len(server.requests) <= calls


@pytest.mark.parametrize("limit_ms", [1300, 1800, 3000])
def test_latency(online, server, limit_ms):
    server.script(Answer(delay_ms=3_600_000, times=None))
    with lost_time() as lost:
        result = online().invoke({"task": TASK, "budget": {"max_latency_ms": limit_ms}})
        lost_ms = lost.ms
    receipt = receipt_of(result)
    assert receipt.spent.latency_ms <= limit_ms + lost_ms
    assert receipt.within_budget or receipt.spent.latency_ms > limit_ms


@pytest.mark.parametrize("seed", range(12))
def test_any_budget_and_any_answers(online, server, ledger, seed):
    dice = random.Random(seed)
    server.script(*(Answer(tokens=dice.choice([5, 200, 900, 4000])) for _ in range(20)))
    budget = {
        "max_tokens": dice.choice([None, 900, 2200, 6000]),
        "max_cost_usd": dice.choice([None, 0.004, 0.03]),
        "max_tool_calls": dice.choice([None, 1, 4]),
        "max_latency_ms": dice.choice([30_000, 5_000]),
    }
    concurrency = {"max_concurrency": dice.choice([1, 2, 4])}
    result = online().invoke({"task": TASK, "budget": budget}, context=concurrency)
    receipt = receipt_of(result)
    assert receipt.within_budget
    assert receipt.spent.tokens == server.bill.total_tokens
    assert receipt.spent.tool_calls == len(server.requests)


def test_every_cap_that_is_sent_is_within_what_was_reserved(online, server, ledger):
    result = online().invoke({"task": TASK, "budget": TUTORIAL_BUDGET})
    entries = [e for e in ledger.entries(receipt_of(result).run_id) if e.reserved.tool_calls]
    assert len(entries) == len(server.requests) == 2
    for entry, request in zip(entries, server.requests, strict=True):
        assert request.input_tokens + request.output_cap <= entry.reserved.tokens


def test_the_price_of_an_unknown_model_is_never_taken_for_zero(online, server):
    agent = online(models={"strong": "our-own-model"})
    result = agent.invoke({"task": TASK, "budget": {"max_cost_usd": 1.0}})
    assert not server.requests
    reasons = [left["reason"] for left in result["plan"]["left_out"] if "(LLM)" in left["option"]]
    assert reasons
    assert all("no price is known for model 'our-own-model'" in reason for reason in reasons)

"""Promise 4, everything is on the bill."""

import pytest

from tests.graph.conftest import EDITOR, TASK, TUTORIAL_BUDGET, receipt_of
from tests.harness.llm_server import Answer, ServerError
from thrifty import Spend
from thrifty.budget import total_spend

ROOMY = {"max_tokens": 30_000, "max_tool_calls": 12, "max_cost_usd": 1.0}


@pytest.mark.parametrize("budget", [TUTORIAL_BUDGET, ROOMY], ids=["tutorial", "roomy"])
def test_the_lines_of_the_receipt_add_up_to_the_servers_bill(online, server, api, budget):
    receipt = receipt_of(online(api).invoke({"task": TASK, "budget": budget}))
    lines = total_spend(line.actual for line in receipt.lines)
    assert lines.tokens == receipt.spent.tokens == server.bill.total_tokens
    assert lines.cost_nano_usd == receipt.spent.cost_nano_usd > 0
    assert lines.tool_calls == receipt.spent.tool_calls == len(server.requests)


def test_the_ledgers_entries_are_the_bill(online, server, ledger):
    receipt = receipt_of(online().invoke({"task": TASK, "budget": ROOMY}))
    entries = ledger.entries(receipt.run_id)
    charged = total_spend(entry.charged for entry in entries)
    assert charged.tokens == receipt.spent.tokens
    assert {"Option proposals", "Quality pass (LLM)"} <= {entry.label for entry in entries}
    assert ledger.balance(receipt.run_id).reserved == Spend()


def test_a_retry_is_an_attempt_of_its_own_on_the_bill(online, server, ledger):
    server.script(ServerError(when="its outline"))
    receipt = receipt_of(online().invoke({"task": TASK, "budget": {"max_tokens": 9000}}))
    attempts = [e for e in ledger.entries(receipt.run_id) if e.label == "Outline plan (LLM)"]
    assert [entry.status for entry in attempts] == ["in_doubt", "settled"]
    line = next(ln for ln in receipt.lines if ln.label == "Outline plan (LLM)")
    assert line.status == "done"
    assert line.actual.tokens == sum(entry.charged.tokens for entry in attempts)


def test_reasoning_and_cached_tokens_are_counted_and_priced(online, server, api):
    answer = Answer("Done.", reasoning_tokens=200, cached_input_tokens=40, times=None)
    server.clear()
    server.script(Answer("Well.", when=EDITOR, times=None), answer)
    budget = {"max_tokens": 6000, "max_cost_usd": 1.0}
    context = {"propose_options": False}
    receipt = receipt_of(online(api).invoke({"task": TASK, "budget": budget}, context=context))
    bill = server.bill
    assert bill.reasoning_tokens > 0
    assert receipt.spent.tokens == bill.total_tokens
    # gpt-5, dollars a million tokens: 1.25 in, 0.125 cached, 10 out.
    fresh = bill.input_tokens - bill.cached_input_tokens
    cost = fresh * 1_250 + bill.cached_input_tokens * 125 + bill.output_tokens * 10_000
    assert receipt.spent.cost_nano_usd == cost


def test_a_model_that_answers_in_the_place_of_another_is_named_and_its_price_charged(
    online, server
):
    server.clear()
    server.script(Answer("Done.", model="gpt-5.2-pro", times=None))
    budget = {"max_tokens": 6000, "max_cost_usd": 1.0}
    context = {"propose_options": False}
    receipt = receipt_of(online().invoke({"task": "Say when.", "budget": budget}, context=context))
    told = "gpt-5.2-pro answered where gpt-5 was asked: charged at the dearer price"
    assert told in receipt.warnings
    bill = server.bill
    assert receipt.spent.cost_nano_usd > bill.input_tokens * 1_250 + bill.output_tokens * 10_000

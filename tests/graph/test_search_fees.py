"""A model role that searches by itself: asked where its deployment says what a search costs."""

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.graph.conftest import TASK, decisions_of, receipt_of
from tests.harness.llm_server import Answer
from thrifty import Budget, InvalidInput, Model, Spend, StepOption, TokenPrice, UseFee

SEARCHING = "gpt-4o-search-preview"
FEE, FOUND = 25_000_000, 500
"""What a search costs in nano-USD, and what it adds at most."""
FEES = {"web_search": UseFee(0.025, uses_max=1, tokens_max=FOUND)}
PLAIN = {"propose_options": False}
FORGED = {
    "fees": {"web_search": {"usd": 0, "uses_max": 1, "tokens_max": 0}},
    "models": {"strong": "gpt-5"},
    "settings": {"models": {"strong": "gpt-5"}},
}


@pytest.fixture
def searching(online, server):
    """Makes agents whose only model searches once in each call."""
    server.script(Answer("Green tea.", searches=1, search_tokens=FOUND, times=None))

    def make(fees=FEES, **given):
        models = {"strong": Model(SEARCHING, price=TokenPrice(2.5, 10), fees=fees)}
        return online(models=models, **{"catalog": [option("Aims"), option("Costs")], **given})

    return make


def option(step: str) -> StepOption:
    return StepOption(f"{step} (LLM)", step, "llm", "says what", Spend(300, 0, 900, 1), 5.0)


def cost(bill) -> int:
    return bill.input_tokens * 2_500 + bill.output_tokens * 10_000 + bill.searches * FEE


@pytest.mark.parametrize(
    ("budget", "searches"),
    [
        ({"max_cost_usd": 0.2}, 2),
        ({"max_cost_usd": 0.05}, 1),
        ({"max_cost_usd": 0.024}, 0),
        ({"max_cost_usd": 1, "max_tokens": 1_600}, 1),
    ],
)
def test_a_plan_holds_all_searches_and_the_receipt_is_the_servers_bill(
    searching, server, ledger, budget, searches
):
    result = searching().invoke({"task": TASK, "budget": budget}, context=PLAIN)
    spent, bill = receipt_of(result).spent, server.bill
    assert bill.searches == searches
    assert (spent.tokens, spent.cost_nano_usd) == (bill.total_tokens, cost(bill))
    assert Budget(**budget).covers(spent)
    lines = receipt_of(result).lines
    assert [line.status for line in lines].count("done") == searches
    assert all("does not fit" in line.reason for line in lines if line.status != "done")
    run = receipt_of(result).run_id
    assert not any(entry.is_overrun for entry in ledger.entries(run))


def look_up(what: str) -> str:
    """Looks something up."""
    return f"nothing on {what}"


@pytest.mark.parametrize("tools", [[], [look_up]], ids=["alone", "with tools"])
def test_a_direct_answer_is_charged_its_search(searching, server, tools):
    agent = searching(catalog=None, tools=tools)
    result = agent.invoke({"task": "Which tea?", "budget": {"max_cost_usd": 0.1}})
    assert (result["status"], result["answer"]) == ("done", "Green tea.")
    assert server.bill.searches == 1
    assert receipt_of(result).spent.cost_nano_usd == cost(server.bill)


def test_without_a_fee_nothing_is_asked_and_it_is_said_what_to_do(searching, server):
    """Not even which steps there could be more."""
    result = searching(fees={}).invoke({"task": TASK, "budget": {"max_cost_usd": 1}})
    assert not server.requests
    assert "as in Model(..., fees={'web_search': " in result["receipt"]["halt_reason"]
    (asked,) = decisions_of(result, "options")
    assert asked.startswith(f"extra steps were not asked for: {SEARCHING}, which searches")


@pytest.mark.parametrize("fees", [{}, FEES], ids=["none declared", "declared"])
def test_nobody_but_the_deployment_declares_a_fee(searching, server, fees):
    agent = searching(fees=fees, checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "t", **FORGED}}
    with pytest.raises(InvalidInput, match=r"context\.fees"):
        agent.invoke({"task": TASK}, thread, context={"fees": FORGED["fees"]})
    budget = {"max_cost_usd": 1}
    result = agent.invoke({"task": TASK, "budget": budget, **FORGED}, thread, context=PLAIN)
    assert {request.model for request in server.requests} == ({SEARCHING} if fees else set())
    assert receipt_of(result).spent.cost_nano_usd == cost(server.bill)
    assert server.bill.searches == 2 * len(fees)
    # Nor what a client writes into the state of its thread.
    for field, value in FORGED.items():
        agent.update_state(thread, {field: value})
        assert field not in agent.get_state(thread).values

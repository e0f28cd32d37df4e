"""An agent of any vendor's model is held by its account, and answers before its money ends."""

import logging

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

from tests.harness.llm_server import Answer, ToolCall
from tests.models.conftest import ACCOUNT
from thrifty import Budget, BudgetMiddleware, Spend

BUDGET = Budget(max_cost_usd=0.05, max_tool_calls=6)
made: list[str] = []


@tool
def look_up(topic: str) -> str:
    """Looks up a topic."""
    made.append(topic)
    return f"All about {topic}."


def may_call(request) -> bool:
    return bool(request.tools) and request.body.get("tool_choice") != {"type": "none"}


# Without tools, LangChain tells Bedrock of what was called before in words, and says so.
@pytest.mark.filterwarnings("ignore:Tool messages were passed without toolConfig")
def test_an_agent_that_always_calls_tools_still_answers(vendor, server, ledger):
    made.clear()
    logging.getLogger("langchain_core").setLevel("ERROR")
    ledger.open(ACCOUNT, BUDGET)
    server.script(
        Answer(ToolCall("look_up", {"topic": "tea"}), times=None, when=may_call),
        Answer("What I know.", times=None),
    )
    held = BudgetMiddleware(ledger, ACCOUNT, **vendor.terms)
    agent = create_agent(vendor.at(server), [look_up], middleware=[held])
    result = agent.invoke({"messages": [HumanMessage("What is tea?")]})
    assert result["messages"][-1].text == "What I know."
    assert made == ["tea", "tea"]
    assert [may_call(request) for request in server.requests] == [True, True, True, False]
    # The cap of each call is one that the money pays for, whatever the model's own is.
    for request in server.requests:
        worst = vendor.prices.worst(request.input_tokens, request.output_cap)
        assert BUDGET.covers(Spend(cost_nano_usd=worst))
    balance = ledger.balance(ACCOUNT)
    assert balance.reserved == Spend()
    assert balance.spent.tokens == server.bill.total_tokens
    assert balance.spent.cost_nano_usd == vendor.prices.cost(server.bill)
    assert balance.spent.tool_calls == 6

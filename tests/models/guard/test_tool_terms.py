"""A tool of an agent has limits of its own, in an account below that of the agent."""

import asyncio

import pytest
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool

from tests.harness.llm_server import Answer, ToolCall
from tests.models.conftest import ACCOUNT, client
from tests.models.guard.looked_up import ASK, look_up, made
from thrifty import Budget, BudgetMiddleware, InvalidInput, Spend

pytestmark = pytest.mark.usefixtures("nothing_made")
PRICE = Spend(cost_nano_usd=1_000_000)


@tool
def search(topic: str) -> str:
    """Searches for a topic."""
    made.append(topic)
    return f"All about {topic}."


@pytest.fixture(params=["invoke", "ainvoke"])
def run(request, server, ledger):
    def run(tools, uses=(search, look_up), **terms):
        held = BudgetMiddleware(ledger, ACCOUNT, tools=tools, **terms)
        agent = create_agent(client(server), list(uses), middleware=[held])
        if request.param == "invoke":
            return agent.invoke(ASK)
        return asyncio.run(agent.ainvoke(ASK))

    return run


def calls(name, *topics) -> Answer:
    return Answer([ToolCall(name, {"topic": topic}) for topic in topics])


def refusals(result):
    return [
        m.text for m in result["messages"] if isinstance(m, ToolMessage) and m.status != "success"
    ]


@pytest.mark.parametrize("limit", [Budget(max_tool_calls=2), "2 calls", {"run": "2 calls"}])
def test_a_tool_is_called_no_more_than_its_limit_says(run, server, ledger, limit):
    ledger.open(ACCOUNT, Budget(max_tokens=9_000, max_tool_calls=20))
    server.script(calls("search", "a", "b", "c"), calls("look_up", "d"), Answer("Done."))
    result = run({"search": limit})
    assert result["messages"][-1].text == "Done."
    assert len(made) == 3
    (told,) = refusals(result)
    assert told.startswith("Not called: search does not fit: 1 call short")
    # All of it counts for the agent as well: three questions, and three calls of tools.
    balance = ledger.balance(ACCOUNT)
    assert balance.spent.tool_calls == 6
    assert balance.spent.tokens == server.bill.total_tokens
    assert balance.reserved == Spend()
    (below,) = [each.name for each in ledger.accounts() if each.name != ACCOUNT]
    assert below == "tool:account=team/tool=search"
    assert ledger.balance(below).spent.tool_calls == 2


def test_a_limit_of_a_period_says_when_it_is_over(run, server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=9_000))
    server.script(calls("search", "a", "b"), Answer("Done."))
    (told,) = refusals(run({"search": "1 call a day"}))
    assert told.startswith(
        "Not called: search does not fit, 1 call short: the day's budget of tool:"
    )
    assert "it resets at 00:00 (UTC)" in told


def test_a_price_and_a_limit_go_together(run, server, ledger):
    ledger.open(ACCOUNT, Budget(max_cost_usd=1))
    server.script(calls("search", "a", "b", "c"), Answer("Done."))
    run({"search": (PRICE, "$0.002")})
    assert len(made) == 2
    below = ledger.balance("tool:account=team/tool=search")
    assert below.spent.cost_nano_usd == 2 * PRICE.cost_nano_usd


def test_what_a_tool_asks_is_no_call_of_the_tool(run, server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=9_000))

    @tool
    def ask(topic: str) -> str:
        """Asks another model."""
        made.append(topic)
        return client(server, max_tokens=50).invoke("Tea?").text

    server.script(
        calls("ask", "a"), Answer("Leaves."), calls("ask", "b"), Answer("L."), Answer("D.")
    )
    run({"ask": "2 calls"}, [ask])
    assert made == ["a", "b"]
    assert ledger.balance("tool:account=team/tool=ask").spent.tool_calls == 2
    assert ledger.balance(ACCOUNT).spent.tool_calls == 7


def test_limits_count_for_each_run_that_has_a_name(run, server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=9_000))
    for name in ("monday", "monday", "tuesday"):
        server.script(calls("search", f"{name} tea"), Answer("Done."))
        # The same run is given the answers that it has paid for, and asks for the same call again.
        run({"search": "1 call"}, run=name)
    assert made == ["monday tea", "tuesday tea"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (3, "tools.search: got 3; use a price, "),
        ((PRICE, PRICE), "tools.search: got "),
        ("3 apples", "tools.search: got '3 apples'"),
        ({"year": "3 calls"}, r"tools.search.year: got '3 calls'"),
    ],
)
def test_terms_that_are_none_are_refused(ledger, given, told):
    ledger.open(ACCOUNT, Budget())
    with pytest.raises(InvalidInput) as refused:
        BudgetMiddleware(ledger, ACCOUNT, tools={"search": given})
    assert str(refused.value).startswith(told)

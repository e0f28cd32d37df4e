"""A research graph on one account: a query, two searches, and an answer that reads both whole.

The press is a text, the fleet a table of data. No node can spend more than the account has.
"""

import os
from typing import Any

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

import thrifty
from thrifty import Result, Step, StepOption, Work

KEY, SERVER = os.environ.get("OPENAI_API_KEY"), os.environ.get("OPENAI_BASE_URL")
ledger = thrifty.MemoryLedger()
ledger.open("research", "6k tokens, $0.10, 6 calls")


def ask(state: MessagesState) -> dict[str, Any]:
    if not (KEY or SERVER):
        return {}
    model = ChatOpenAI(model="gpt-5-mini", base_url=SERVER, api_key=KEY or "none")
    thinker = thrifty.metered(model, ledger, "research", label="query", max_output_tokens=200)
    return {"messages": [("user", thinker.invoke(["One query for:", *state["messages"]]).text)]}


@tool
def press(query: str) -> str:
    """Put your own search here."""
    return f"“{query}”: a third less to run, says the Fleet Gazette."


def fleet(work: Work) -> Result:
    return Result("Two depots have vans.", [{"vans": 14, "old": 6}, {"vans": 9, "old": 1}])


def quote(work: Work) -> str:
    old = sum(row["old"] for row in work.results["Fleet"].data)
    return f"{work.results['Press'].text}\n{old} vans are old."


def step(name: str, *ways: tuple[str, int, float], **more: Any) -> Step:
    options = [StepOption(f"{name}, by {by}", name, by, name, thrifty.Spend(n, 0, 50, 1), value)
               for by, n, value in ways]  # fmt: skip
    return Step(name, tuple(options), **more)


CATALOG = [step("Press", ("press", 0, 3.0), role="material"),
           step("Fleet", ("fleet", 0, 3.0), role="material"),
           step("Answer", ("llm", 900, 9.0), ("quote", 0, 3.0), role="answer",
                reads=("Press", "Fleet"))]  # fmt: skip
agent = thrifty.create_budget_agent(
    catalog=CATALOG, executors={"press": press, "fleet": fleet, "quote": quote},
    ledger=ledger, account="research")  # fmt: skip
graph = StateGraph(MessagesState).add_sequence([("ask", ask), ("answer", agent)])
graph = graph.add_edge(START, "ask").compile()
print(graph.invoke({"messages": [("user", "electric vans")]})["messages"][-1].text)
print("left:", ledger.balance("research").left.max_tokens, "tokens")

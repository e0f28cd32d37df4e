"""A research graph on one account: a query, two searches (text and table), an answer from both."""

import os
from typing import Any

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

import thrifty
from thrifty import Result, Spend, Step, StepOption, Work

KEY, SERVER = os.environ.get("OPENAI_API_KEY"), os.environ.get("OPENAI_BASE_URL")
ledger = thrifty.MemoryLedger()
ledger.open("desk", "6k tokens, $0.10, 6 calls")  # no node can spend more than this


class Research(MessagesState):
    documents: dict[str, str]


def ask(state: Research) -> dict[str, Any]:
    model = ChatOpenAI(model="gpt-5-mini", base_url=SERVER, api_key=KEY or "none")
    thinker = thrifty.metered(model, ledger, "desk", label="query", max_output_tokens=200)
    said = state["messages"]
    query = thinker.invoke(["One query for:", *said]) if KEY or SERVER else said[-1]
    return {"documents": {"Query": query.text}}


@tool
def press(query: str) -> str:
    """Put your own search here."""
    return f"“{query}”: a third less to run, says the Fleet Gazette."


def fleet(work: Work) -> Result:  # a search of your own data, by work.results["Query"].text
    return Result("Two depots have vans.", [{"vans": 14, "old": 6}, {"vans": 9, "old": 1}])


def quote(work: Work) -> str:
    found, old = work.results["Press"].text, sum(r["old"] for r in work.results["Fleet"].data)
    return f"{found}\n{old} vans are old."


def way(step: str, who: str, tokens: int = 0, value: float = 3.0, **more: Any) -> StepOption:
    return StepOption(who, step, who, "Say what is known.", Spend(tokens, 0, 50, 1), value, **more)


FINDS = {"role": "material", "reads": ("Query",)}
READS = {"role": "answer", "reads": ("Press", "Fleet")}
CATALOG = [
    Step("Press", (way("Press", "press", payload={"input": "$Query"}),), **FINDS),
    Step("Fleet", (way("Fleet", "fleet"),), **FINDS),
    Step("Answer", (way("Answer", "llm", 900, 9.0), way("Answer", "quote")), **READS),
]
known = {"press": press, "fleet": fleet, "quote": quote}
agent = thrifty.create_budget_agent(catalog=CATALOG, executors=known, ledger=ledger, account="desk")
graph = StateGraph(Research).add_sequence([("ask", ask), ("answer", agent)]).add_edge(START, "ask")
print(graph.compile().invoke({"messages": "Are electric vans cheaper?"})["messages"][-1].text)
print("left:", ledger.balance("desk").left.max_tokens, "tokens")

"""A research agent that embeds thrifty: its own calls and the report are on one account.

`ask` thinks of queries, `search` reads, and thrifty writes the report with what is left. The
model in `ask` is metered, so that no node of the graph can spend more than the account has.
"""

import os
from operator import add
from typing import Annotated, Any

from langchain_openai import ChatOpenAI
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from thrifty import Budget, MemoryLedger, as_node, create_budget_agent, metered

KEY, SERVER = os.environ.get("OPENAI_API_KEY"), os.environ.get("OPENAI_BASE_URL")
ledger = MemoryLedger()
ledger.open("research", Budget(max_tokens=6_000, max_cost_usd=0.10, max_tool_calls=6))


class Research(TypedDict, total=False):
    question: str
    queries: list[str]
    notes: Annotated[list[str], add]
    report: str


def ask(state: Research) -> Research:
    """Up to three queries, by a model; offline, the question itself."""
    if not (KEY or SERVER):
        return {"queries": [state["question"]]}
    model = ChatOpenAI(model="gpt-5-mini", base_url=SERVER, api_key=KEY or "none")
    thinker = metered(model, ledger, "research", label="queries", max_output_tokens=200)
    answer = thinker.invoke(f"Write three search queries, one a line, for: {state['question']}")
    return {"queries": answer.text.splitlines()[:3]}


def search(state: Research) -> Research:
    """Put your own search here."""
    return {"notes": [f"“{query}”: nothing was published yet." for query in state["queries"]]}


def brief(state: Research) -> Any:
    return {"task": "\n- ".join([f"Report on {state['question']}. Notes:", *state["notes"]])}


def main() -> None:
    writer = create_budget_agent(ledger=ledger, account="research")
    write = as_node(writer, read=brief, write=lambda result: {"report": result["draft"]})
    graph = StateGraph(Research).add_sequence([("ask", ask), ("search", search), ("write", write)])
    graph.add_edge(START, "ask")
    print(graph.compile().invoke({"question": "electric vans in a city fleet"})["report"])
    for entry in ledger.entries("research", below=True):
        print(f"{entry.label}: {entry.charged.tokens} tokens")
    print("left:", ledger.balance("research").left.max_tokens, "tokens")


if __name__ == "__main__":
    main()

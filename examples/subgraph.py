"""The agent as a node of your own graph, with keys of your own and a share of your budget."""

from typing import Any

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from thrifty import Receipt, as_node, create_budget_agent


class Case(TypedDict, total=False):
    question: str
    tokens_left: int
    answer: str
    receipt: dict[str, Any]
    mail: str


def hand_down(case: Case) -> Any:
    """Half of what is left is for the draft; the other half stays with the parent."""
    return {"task": case["question"], "budget": {"max_tokens": case["tokens_left"] // 2}}


def take_back(result: Any) -> dict[str, Any]:
    return {"answer": result["answer"], "receipt": result["receipt"]}


def write_mail(state: Case) -> dict[str, Any]:
    spent = Receipt.from_state(state["receipt"]).spent.tokens
    mail = f"Dear customer,\n\n{state['answer']}\n\nYours"
    return {"mail": mail, "tokens_left": state["tokens_left"] - spent}


def main() -> None:
    agent = create_budget_agent()
    parent = StateGraph(Case)
    parent.add_node("research", as_node(agent, read=hand_down, write=take_back))
    parent.add_node("write_mail", write_mail)
    parent.add_edge(START, "research")
    parent.add_edge("research", "write_mail")
    parent.add_edge("write_mail", END)

    question = "Draft a project plan for a logistics dashboard pilot"
    given: Case = {"question": question, "tokens_left": 4000}
    # subgraphs=True shows the agent's own nodes beside the parent's.
    parts: Any = parent.compile().stream(given, stream_mode="updates", subgraphs=True)
    for place, update in parts:
        for node in update:
            print("  agent:" if place else "parent:", node)
    case = update["write_mail"]
    print(case["mail"])
    print("tokens left:", case["tokens_left"])


if __name__ == "__main__":
    main()

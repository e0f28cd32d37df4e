"""A chat in which a person approves the plan, changes it, or raises the budget.

A chat front end calls `reply` alone, with the words of a person and the name of their
conversation. This one reads lines from the terminal.
"""

import sys
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from thrifty import InvalidInput, create_budget_agent
from thrifty.budget.budget_phrase import parse_budget
from thrifty.graph.control import inspect_run

HOW = "Say go, finish, without <step>, or a budget such as: 4k tokens, 3 calls."
agent = create_budget_agent(checkpointer=InMemorySaver())  # a PostgresSaver outlives the process
CONTEXT: Any = {"approve_plan": True, "on_drift": "ask"}


def reply(conversation: str, words: str) -> str:
    """What the agent says to a person: a question about its plan, or the result."""
    thread: Any = {"configurable": {"thread_id": conversation}}
    try:
        waits = inspect_run(agent, thread).question is not None
        given = Command(resume=answer(words)) if waits else {"messages": [("human", words)]}
        result = agent.invoke(given, thread, context=CONTEXT)
    except InvalidInput as error:
        return f"I did not understand: {error}. {HOW}"
    if "__interrupt__" in result:
        return ask(result["__interrupt__"][0].value)
    return f"{result['draft']}\n\n({result['status']}, {result['spend']['tokens']} tokens)"


def answer(words: str) -> Any:
    """What a person means, in the form in which a run is answered."""
    said = words.strip()
    if said.lower() in ("go", "finish"):
        return said.lower()
    if said.lower().startswith("without "):
        return {"leave_out": [said[len("without ") :]]}
    limits = parse_budget(said)
    named = {resource.name for resource, _ in limits.limited_resources()}
    return {"budget": limits.limits_of(named)}


def ask(question: dict[str, Any]) -> str:
    error = [question["error"]] if "error" in question else []
    steps = [f"- {todo['option']}" for todo in question["to_do"]]
    return "\n".join([*error, question["question"], question["reason"], *steps, HOW])


def main() -> None:
    for line in sys.stdin:
        print(f"> {line.strip()}\n{reply('terminal', line)}\n", flush=True)


if __name__ == "__main__":
    main()

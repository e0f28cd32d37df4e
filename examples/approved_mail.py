"""A step that sends mail: a person is asked first, and it is sent once, whatever happens."""

from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from thrifty import Executor, Spend, Step, StepOption, create_budget_agent

OUTBOX: list[str] = []


@tool
def send_mail(to: str, text: str) -> str:
    """Sends a mail."""
    OUTBOX.append(f"{to}: {text}")
    return f"A mail went to {to}."


MAIL = StepOption(
    "Tell the depot",
    "Tell the depot",
    "mail",
    "Tells the depot when the lorry comes.",
    Spend(tool_calls=1),
    5.0,
    payload={"input": {"to": "north@depots.example", "text": "The lorry comes at five."}},
)
THREAD = {"configurable": {"thread_id": "mail"}}


def main() -> None:
    agent = create_budget_agent(
        catalog=[Step("Tell the depot", (MAIL,))],
        executors={"mail": Executor(send_mail, effects=True, approve=True)},
        checkpointer=InMemorySaver(),
    )
    given = {"task": "The lorry to the north", "budget": {"max_tool_calls": 3}}
    question = agent.invoke(given, THREAD)["__interrupt__"][0].value
    print(question["question"], question["input"])
    print("sent before anybody answered:", len(OUTBOX))

    # "go" would send it as it is, and "leave_out" not at all.
    corrected = {"to": "north@depots.example", "text": "The lorry comes at six."}
    result = agent.invoke(Command(resume={"input": corrected}), THREAD)
    print(result["draft"])

    # Who goes back in the thread sends no second mail.
    for state in list(agent.get_state_history(THREAD)):
        if state.next == ("route",):
            agent.invoke(None, state.config)
    print("sent:", OUTBOX)


if __name__ == "__main__":
    main()

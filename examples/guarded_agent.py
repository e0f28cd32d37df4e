"""An agent with tools does a step, and each of its calls has to fit in what the step may use.

In place of `Scripted` put ChatOpenAI(model=…, max_tokens=…), or metered(ChatOpenAI(model=…)).
"""

import logging
from typing import Any

from langchain_core.language_models import FakeMessagesListChatModel as Scripted
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import tool

from thrifty import Receipt, Spend, Step, StepOption, create_budget_agent


@tool
def look_up(topic: str) -> str:
    """Looks up a topic."""
    return f"{topic} has 23 vehicles."


USAGE = {"input_tokens": 70, "output_tokens": 12, "total_tokens": 82}
CALL = {"name": "look_up", "args": {"topic": "Our fleet"}, "id": "call_1"}
WANTS = AIMessage("", tool_calls=[CALL], usage_metadata=USAGE)
DONE = AIMessage("The fleet has 23 vehicles.", usage_metadata=USAGE)


def agent(model: Runnable[Any, Any]) -> Runnable[str, str]:
    """Asks, calls the tools that the model wants, and asks again, until it has an answer."""

    def work(task: str) -> str:
        said: list[Any] = [("human", task)]
        while (answer := model.invoke(said)).tool_calls:
            said += [answer, *(look_up.invoke(call) for call in answer.tool_calls)]
        return answer.text

    return RunnableLambda(work)


EXECUTORS = {
    "research": agent(Scripted(responses=[WANTS, DONE])),
    "endless": agent(Scripted(responses=[WANTS])),  # it never has enough
}


def main() -> None:
    logging.getLogger("langchain_core").setLevel("ERROR")  # it warns of each refused call
    room = Spend(tokens=800, tool_calls=4)
    steps = [Step(n, (StepOption(n, n, n, "Finds facts.", room, 5.0),)) for n in EXECUTORS]
    thrifty = create_budget_agent(catalog=steps, executors=EXECUTORS)
    given = {"task": "Fleet", "budget": {"max_tokens": 4000, "max_tool_calls": 20}}
    receipt = Receipt.from_state(thrifty.invoke(given)["receipt"])
    for line in receipt.lines:
        print(f"{line.label}: {line.status}, {line.actual.tool_calls} calls; {line.reason}")
    print("within budget:", receipt.within_budget)


if __name__ == "__main__":
    main()

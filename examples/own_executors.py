"""Code of your own does the steps: a function, a LangChain tool, and a chain."""

from typing import Any

from langchain_core.prompt_values import PromptValue
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool

from thrifty import Receipt, Result, Spend, Step, StepOption, Work, create_budget_agent


def from_database(work: Work) -> Result:
    """A function gets the work; a Result says what it really used."""
    rows = ["| Depot | Vehicles |", "|---|---|", "| North | 14 |", "| South | 9 |"]
    return Result("\n".join(rows), spend=Spend(cost_nano_usd=1_500_000, tool_calls=1))


@tool
def look_up(topic: str) -> str:
    """A tool gets the task under its own argument's name, or the payload's `input`."""
    return f"Nothing was published on “{topic}” this year."


def shorten(prompt: PromptValue) -> str:
    """Stands for a model: a chain may end in one, and its answer says how many tokens it took."""
    return f"In short: {prompt.to_string().split(': ')[-1]}."


chain = ChatPromptTemplate.from_template("Sum up: {text}") | RunnableLambda(shorten)
EXECUTORS = {"database": from_database, "look_up": look_up, "chain": chain}


def step(name: str, by: str, what: str, estimate: Spend, value: float, **payload: Any) -> Step:
    option = StepOption(name, name, by, what, estimate, value, payload=payload)
    return Step(name, (option,), reads=("Press",) if payload else None)


RECIPE = [
    step("Fleet", "database", "Lists the fleet.", Spend(0, 2_000_000, 50, 1), 8.0),
    step("Press", "look_up", "Reads the press.", Spend(0, 0, 50, 1), 3.0),
    # What the step Press has made stands in the input of this one.
    step("Summary", "chain", "Sums up.", Spend(200, 0, 50, 0), 5.0, input={"text": "$Press"}),
]


def main() -> None:
    agent = create_budget_agent(catalog=RECIPE, executors=EXECUTORS)
    result = agent.invoke(
        {"task": "optimizing our fleet", "budget": {"max_tokens": 500, "max_cost_usd": 0.01}}
    )
    print(result["draft"])
    receipt = Receipt.from_state(result["receipt"])
    for line in receipt.lines:
        print(f"{line.label}: {line.actual.tool_calls} calls, {line.actual.cost_nano_usd} nano-USD")


if __name__ == "__main__":
    main()

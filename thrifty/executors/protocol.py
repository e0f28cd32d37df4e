"""What an executor is, what it is handed, and what it hands back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from thrifty.budget import Spend, StepOption, validate
from thrifty.budget.option import DESCRIPTION_MAX, SPEND_EXAMPLE


@dataclass(frozen=True, slots=True)
class Work:
    """One option of a step, to be done now."""

    task: str
    """What the person asked for, as given."""
    option: StepOption
    """What is to be done, with the payload that the catalog gave it."""
    draft: str = ""
    """What earlier steps wrote, as Markdown, cut to what the budget foresaw."""
    revises: bool = False
    """Whether the text will take the place of the draft, instead of adding to it."""


@dataclass(frozen=True, slots=True)
class Result:
    """What an executor wrote and what it used, where it knows better than its option.

    More than its option declares is an overrun, as no more was reserved for it: its executor is not
    used again in that run. The run ends where a limit is passed.

    Raises:
        InvalidInput: the text is none, or the spend is no `Spend`.
    """

    text: str
    """The section, or the revised draft, as Markdown."""
    spend: Spend = Spend()
    """What it used. Latency is measured from outside."""

    def __post_init__(self) -> None:
        validate.any_string("result.text", self.text)
        validate.instance("result.spend", self.spend, Spend, SPEND_EXAMPLE)


WorkFunction = Callable[[Work], Result | str]
"""Does a piece of work. A bare text is charged the tokens, money and calls that its option
declares. An exception is a failed step, charged the same."""


@dataclass(frozen=True, slots=True)
class Executor:
    """Something of yours that can do steps, and what thrifty has to know of it.

    Raises:
        InvalidInput: a field is of the wrong type.
    """

    fn: Any
    """A function of the `Work`, a LangChain tool, or any Runnable: a chain, an agent, a graph."""
    answers: bool = False
    """Whether it can answer a task by itself."""
    effects: bool = False
    """Whether it changes something outside: it sends mail, pays, writes. Then it is called once
    for a step and never again, whatever happens to the run."""
    approve: bool = False
    """Whether a person is asked before each call of it."""
    description: str = ""
    """What it does, in a sentence. A model that plans steps reads it, and so does who approves."""

    def __post_init__(self) -> None:
        for name in ("answers", "effects", "approve"):
            validate.instance(f"executor.{name}", getattr(self, name), bool, f"{name}=True")
        validate.any_string("executor.description", self.description)
        if self.description:
            validate.text("executor.description", self.description, maximum=DESCRIPTION_MAX)

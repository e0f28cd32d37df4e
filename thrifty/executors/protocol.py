"""What an executor is handed and what it hands back."""

from collections.abc import Callable
from dataclasses import dataclass

from thrifty.budget import Spend, StepOption, validate
from thrifty.budget.option import SPEND_EXAMPLE


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


Executor = Callable[[Work], Result | str]
"""Does a piece of work. A bare text is charged the tokens, money and calls that its option
declares. An exception is a failed step, charged the same."""

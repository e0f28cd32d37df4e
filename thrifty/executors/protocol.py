"""What an executor is, what it is handed, and what it hands back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from thrifty.budget import InvalidInput, Spend, StepOption, validate
from thrifty.budget.option import DESCRIPTION_MAX, SPEND_EXAMPLE
from thrifty.executors.answer_shape import AnswerShape
from thrifty.executors.output_text import output_text
from thrifty.executors.plain_json import compact_json, json_bytes, plain_json

RESULT_BYTES_MAX = 1_000_000
"""The most that a result may take in a state: its text, and its data as JSON."""


@dataclass(frozen=True, slots=True)
class Work:
    """One option of a step, to be done now."""

    task: str
    """What the person asked for, as given."""
    option: StepOption
    """What is to be done, with the payload that the recipe gave it."""
    draft: str = ""
    """For a revision: what is to be revised, as Markdown."""
    revises: bool = False
    """Whether the text will take the place of the draft, instead of adding to it."""
    results: Mapping[str, Result] = field(default_factory=dict, hash=False)
    """What it reads, by the name of the step or the document. Each is whole."""
    absent: tuple[str, ...] = ()
    """What it would read as well, and was not done."""
    shape: AnswerShape | None = None
    """What the answer has to be. None: a text, whatever it is."""
    conversation: tuple[Any, ...] = ()
    """The messages that are to be answered, LangChain's. Empty for a step that answers none."""

    @property
    def instruction(self) -> str:
        """What is to be done, in a sentence or two."""
        return self.option.description


@dataclass(frozen=True, slots=True)
class Result:
    """What a step made: it is kept whole, and handed whole to the steps that read it.

    Raises:
        InvalidInput: the text is none, the data is no finite JSON, both together are too large
            for a state, or the spend is no `Spend`.
    """

    text: str = ""
    """For people, as Markdown: the section, the answer or the revised draft. Where there is data
    alone, it is the data in words."""
    data: Any = field(default=None, hash=False)
    """For code: texts, finite numbers (integers below 2^63), truth values, None, lists and
    mappings of these. None: the text is all there is."""
    spend: Spend | None = None
    """What it used, where its executor knows better than its option. None: what its calls came
    to, or else what the option declares. More than that is an overrun, as no more was reserved for
    it: its executor is not used again in that run. Latency is measured from outside."""

    def __post_init__(self) -> None:
        validate.any_string("result.text", self.text)
        if self.spend is not None:
            validate.instance("result.spend", self.spend, Spend, SPEND_EXAMPLE)
        object.__setattr__(self, "data", plain_json("result.data", self.data))
        if not self.text.strip() and self.data is not None:
            object.__setattr__(self, "text", output_text(self.data))
        size = json_bytes([self.text, self.data])
        if size > RESULT_BYTES_MAX:
            raise InvalidInput("result", f"{size:,} bytes", f"use at most {RESULT_BYTES_MAX:,}")

    def to_answer(self) -> str:
        """Text and data as a ledger keeps them beside the bill."""
        return compact_json({"text": self.text, "data": self.data})

    @classmethod
    def from_answer(cls, answer: str, spend: Spend) -> Result:
        """What was kept, with what it was charged."""
        kept = json.loads(answer)
        return cls(kept["text"], kept["data"], spend)


WorkFunction = Callable[[Work], Result | str]
"""Does a piece of work. A bare text is a result without data. An exception is a failed step,
charged like a result that does not say what it used."""


@dataclass(frozen=True, slots=True)
class Executor:
    """Something of yours that can do steps, and what thrifty has to know of it.

    Raises:
        InvalidInput: a field is of the wrong type, or out of its bounds.
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
    output_tokens: int | None = None
    """About how many tokens its result has, by which the steps that read it are estimated. None:
    as many as the task asks of the step."""

    def __post_init__(self) -> None:
        for name in ("answers", "effects", "approve"):
            validate.instance(f"executor.{name}", getattr(self, name), bool, f"{name}=True")
        validate.any_string("executor.description", self.description)
        if self.description:
            validate.text("executor.description", self.description, maximum=DESCRIPTION_MAX)
        if self.output_tokens is not None:  # a token has a byte at least
            field, most = "executor.output_tokens", RESULT_BYTES_MAX
            validate.amount(field, self.output_tokens, maximum=most)

"""One way to do a step: what it would take, what it would be worth, and who would do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from thrifty.budget import validate
from thrifty.budget.cascade import Cascade
from thrifty.budget.plain_data import PlainData
from thrifty.budget.spend import Spend

if TYPE_CHECKING:
    from thrifty.budget.states import OptionState

SPREAD_DEFAULT = 0.25
SPREAD_MAX = 10.0
OUTPUT_DIVISOR = 2
"""Of a declared estimate, half is what a model writes, where nothing says how much that is."""
NAME_MAX = 120
DESCRIPTION_MAX = 2_000
KEEP = "keep"
"""The executor of an option that keeps a result that is there already. Nobody does anything."""
SPEND_EXAMPLE = "Spend(tokens=120)"


@dataclass(frozen=True, slots=True)
class StepOption(PlainData["OptionState"]):
    """One way to do a step. Options of one step exclude each other.

    Raises:
        InvalidInput: a field is empty, out of range, or of the wrong type.
    """

    PLAIN_NAME = "option"
    MAY_LACK = ("quality", "cascade")

    name: str
    """Unique in its recipe: "Outline plan (LLM)"."""
    step: str
    """The step that this is a way to do: "Outline plan"."""
    executor: str
    """Who does it: `llm`, `local`, or a name that the user registered."""
    description: str
    """What is to be done, in a sentence. A model reads it as its assignment."""
    estimate: Spend
    """What it is expected to use of each resource."""
    value: float
    """What it is expected to add to the result, on any one scale within a recipe."""
    spread: float = SPREAD_DEFAULT
    """Standard deviation of the actual spend, as a share of the estimate."""
    payload: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Plain data for the executor, such as the name of a prompt or a template."""
    output_tokens: int | None = None
    """How many tokens of its estimate a model is expected to write. None: half of them, so that
    the other half is room for a prompt, its task and what it reads."""
    quality: float | None = None
    """The chance that what it makes is right, from 0 to 1. Its value is that chance times what a
    right result is worth. None: nobody has said."""
    cascade: Cascade | None = None
    """Where it is two options of its step, with a check between them. Its executor is that of the
    first. None: it is one option."""

    def __post_init__(self) -> None:
        validate.text("option.name", self.name, maximum=NAME_MAX)
        where = f"option {self.name!r}"
        validate.text(f"{where}.step", self.step, maximum=NAME_MAX)
        validate.text(f"{where}.executor", self.executor, maximum=NAME_MAX)
        validate.text(f"{where}.description", self.description, maximum=DESCRIPTION_MAX)
        validate.instance(f"{where}.estimate", self.estimate, Spend, SPEND_EXAMPLE)
        validate.number(f"{where}.value", self.value)
        validate.number(f"{where}.spread", self.spread, maximum=SPREAD_MAX)
        validate.instance(f"{where}.payload", self.payload, Mapping, '{"prompt": "outline"}')
        if self.output_tokens is not None:
            validate.amount(f"{where}.output_tokens", self.output_tokens)
        if self.quality is not None:
            validate.number(f"{where}.quality", self.quality, maximum=1.0)

    @property
    def is_kept(self) -> bool:
        """Whether it keeps a result that is there already, though that failed a check."""
        return self.executor == KEEP

    @property
    def expected_output_tokens(self) -> int:
        """How many tokens a model is expected to write."""
        half = self.estimate.tokens // OUTPUT_DIVISOR
        return half if self.output_tokens is None else self.output_tokens

    def with_estimate(self, estimate: Spend, spread: float) -> StepOption:
        """The same option, estimated otherwise.

        A run does this to all that is still open, after every step: `replace` takes thrice as long.
        """
        return StepOption(
            self.name,
            self.step,
            self.executor,
            self.description,
            estimate,
            self.value,
            spread,
            self.payload,
            self.output_tokens,
            self.quality,
            self.cascade,
        )

    def as_sent(self, estimate: Spend) -> StepOption:
        """The same option, estimated for what is really sent.

        What is sent is known. Only what was declared is uncertain, by as much as it was.
        """
        declared, tokens = self.estimate.tokens, estimate.tokens
        spread = self.spread * declared / tokens if tokens > declared else self.spread
        return replace(
            self, estimate=estimate, spread=spread, output_tokens=self.expected_output_tokens
        )

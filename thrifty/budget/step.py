"""A piece of work, with its alternatives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from thrifty.budget import validate
from thrifty.budget.errors import InvalidInput
from thrifty.budget.option import NAME_MAX, StepOption
from thrifty.budget.plain_data import PlainData

if TYPE_CHECKING:
    from thrifty.budget.states import StepState

Role = Literal["section", "answer", "material", "revision"]


@dataclass(frozen=True, slots=True)
class Step(PlainData["StepState"]):
    """A piece of work the task may need, and the ways to do it, of which at most one is chosen.

    Raises:
        InvalidInput: no options, an option of another step, or a field of the wrong type.
    """

    MAY_LACK = ("kind", "check")

    name: str
    """Unique in its recipe, and the heading of what it adds to the draft."""
    options: tuple[StepOption, ...]
    """The alternatives."""
    requires: tuple[str, ...] = ()
    """Names of the steps that must be done before this one: a plan has none without them."""
    reads: tuple[str, ...] | None = None
    """Names of the steps and documents whose results it is handed, whole. It comes after those
    that a plan has, and does without those that it has not. None: the steps that it requires and,
    unless it is a revision, every document."""
    topic: str = ""
    """Steps that share a topic are partly redundant. By default, the step's own name."""
    role: Role = "section"
    """A `section` adds to the draft. An `answer` is the whole result, without a heading of its own:
    a plan has one answer or else sections. A `material` is there for others to read, and is not
    handed over: where steps read or require it, a plan has it with one of them at least. A
    `revision` runs after all of these and rewrites the draft. Beside an answer it has a place where
    it reads or requires that answer."""
    required: bool = False
    """Whether a plan without this step is no plan at all. What an answer leaves no place for is not
    required beside it."""
    kind: str = ""
    """What kind of work it is. What is learned of one step holds for others of its kind. By
    default, the step's own name."""
    check: str = ""
    """The name of the check that its results have to pass. Empty: none but those that every text of
    a model has to."""
    value_max: float = field(init=False, repr=False, compare=False)
    """What the best of its options is worth."""

    def __post_init__(self) -> None:
        validate.text("step.name", self.name, maximum=NAME_MAX)
        where = f"step {self.name!r}"
        validate.choice(f"{where}.role", self.role, get_args(Role))
        if not self.options:
            raise InvalidInput(f"{where}.options", self.options, "give at least one option")
        validate.members(f"{where}.options", self.options, StepOption, "StepOption(...)")
        validate.strings(f"{where}.requires", self.requires)
        if self.reads is not None:
            validate.strings(f"{where}.reads", self.reads)
        for name in ("topic", "kind", "check"):
            validate.any_string(f"{where}.{name}", getattr(self, name))
        validate.instance(f"{where}.required", self.required, bool, "required=True")
        for option in self.options:
            if option.step != self.name:
                raise InvalidInput(f"option {option.name!r}.step", option.step, f"use {self.name}")
        if not self.topic:
            object.__setattr__(self, "topic", self.name)  # the only way into a frozen object
        if not self.kind:
            object.__setattr__(self, "kind", self.name)
        object.__setattr__(self, "value_max", max([option.value for option in self.options]))

    @property
    def follows(self) -> tuple[str, ...]:
        """Names of what comes before it, where that is done at all: what it requires or reads."""
        return self.requires if self.reads is None else (*self.requires, *self.reads)

    @property
    def has_result(self) -> bool:
        """Whether it is done already, and could be done once more."""
        return any(option.is_kept for option in self.options)

    @property
    def direct_options(self) -> tuple[StepOption, ...]:
        """Those that somebody does: no cascade, which is two of them, and no result kept."""
        return tuple(o for o in self.options if o.cascade is None and not o.is_kept)

    def option(self, name: str) -> StepOption:
        """The one of its options that has this name."""
        return next(option for option in self.options if option.name == name)

    def with_options(self, options: tuple[StepOption, ...]) -> Step:
        """The same step with other options. It is quicker than `replace`, as `with_estimate` is."""
        return Step(
            self.name,
            options,
            self.requires,
            self.reads,
            self.topic,
            self.role,
            self.required,
            self.kind,
            self.check,
        )

"""A recipe: the steps for one kind of task, the ways to do each, and when it is taken."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from typing_extensions import TypedDict

from thrifty.budget import (
    Budget,
    InvalidInput,
    Step,
    StepOption,
    check_steps,
    group_by_step,
    validate,
)
from thrifty.budget.name_folding import fold_name
from thrifty.budget.option import NAME_MAX
from thrifty.budget.plain_data import PlainData
from thrifty.budget.states import BudgetState, StepState
from thrifty.executors.payload import check_payload
from thrifty.executors.references import find_reference
from thrifty.options.phrases import check_phrases

PROPOSAL = "proposal"
"""The recipe that thrifty brings along: the tutorial's project proposal."""
ANSWER = "answer"
"""What a run without a recipe is called: it answers directly."""
OWN_NAME = "own"
"""A recipe of the user's that has no name."""
STEPS_MAX = 1_000
"""The most steps that a plan may be allowed."""


class RecipeState(TypedDict):
    """A `Recipe` as plain data."""

    steps: list[StepState]
    name: str
    phrases: list[str]
    max_steps: int | None
    budget: BudgetState | None


@dataclass(frozen=True, slots=True)
class Recipe(PlainData["RecipeState"]):
    """Steps that make sense together.

    Raises:
        InvalidInput: no steps, names that look the same, unknown or circular requirements, a
            section that an answer reads, a payload that is no plain data, or a phrase without a
            word.
    """

    steps: tuple[Step, ...]
    """In the order of the draft."""
    name: str = OWN_NAME
    """What a run, its receipt and `--recipe` call it."""
    phrases: tuple[str, ...] = ()
    """A task that begins with one of these gets this recipe, and any other a direct answer. Without
    phrases every task gets it."""
    max_steps: int | None = None
    """The most steps that a plan of it may have, unless a run says otherwise."""
    budget: Budget | None = None
    """What a run of it may spend where neither the run nor the agent has a budget."""

    def __post_init__(self) -> None:
        if not self.steps:
            raise InvalidInput("catalog.steps", self.steps, "give at least one step")
        check_steps(self.steps)
        _check_names("step.name", [step.name for step in self.steps])
        _check_names("option.name", [option.name for option in self.options])
        self._check_answers()
        for option in self.options:
            check_payload(option)
        for step in self.steps:
            if any("input" in option.payload for option in step.options):
                self._check_references(step)
        validate.text("catalog.name", self.name, maximum=NAME_MAX)
        if self.name == ANSWER:
            raise InvalidInput("catalog.name", ANSWER, "choose another name; that one is thrifty's")
        check_phrases("catalog.phrases", self.phrases)
        if self.max_steps is not None:
            validate.amount("catalog.max_steps", self.max_steps, maximum=STEPS_MAX)
        if self.budget is not None:
            validate.instance("catalog.budget", self.budget, Budget, "Budget(max_tokens=2_200)")
            if self.budget.is_unlimited:
                remedy = "set at least one limit, such as max_tokens"
                raise InvalidInput("catalog.budget", self.budget, remedy)

    def _check_answers(self) -> None:
        """Refuses a section that an answer reads: a plan has one or the other."""
        sections = {step.name for step in self.steps if step.role == "section"}
        for answer in self.steps:
            read = sorted(sections.intersection(answer.follows))
            if answer.role == "answer" and read:
                remedy = f"use role='material', as the answer {answer.name!r} reads it"
                raise InvalidInput(f"step {read[0]!r}.role", "section", remedy)

    def _check_references(self, step: Step) -> None:
        """Refuses an input that refers to a step which its own does not read."""
        reads = step.requires if step.reads is None else step.reads
        unread = {other.name for other in self.steps} - {*reads}
        for option in step.options:
            if name := find_reference(option.payload.get("input"), unread):
                field = f"option {option.name!r}.payload.input"
                raise InvalidInput(field, f"${name}", f"let the step {step.name!r} read it")

    @property
    def options(self) -> tuple[StepOption, ...]:
        """Every option of every step."""
        return tuple(option for step in self.steps for option in step.options)

    @classmethod
    def of(cls, source: RecipeSource) -> Recipe:
        """Reads a recipe in whichever form the user has it.

        Args:
            source: a recipe, `"proposal"`, the path of a YAML file, the same as a mapping, steps,
                or loose options (each names its step).

        Raises:
            InvalidInput: the source is none of these, or holds something no plan can use.
        """
        if isinstance(source, Recipe):
            return source
        if isinstance(source, str | os.PathLike):
            return load_recipe(source)
        if isinstance(source, Mapping):
            from thrifty.options.recipe_schema import read_recipe  # pydantic: only when needed

            return read_recipe(source, "catalog")
        return cls(_read_step_objects(source))


RecipeSource = (
    Recipe | str | os.PathLike[str] | Mapping[str, object] | Iterable[Step] | Iterable[StepOption]
)
"""What `Recipe.of` reads."""


def load_recipe(source: str | os.PathLike[str]) -> Recipe:
    """Reads the recipe in a file, or the one that thrifty brings along: `"proposal"`.

    Raises:
        InvalidInput: names the file, the field and the line, the value, and the remedy.
    """
    if source == PROPOSAL:
        return proposal_recipe()
    from thrifty.options.recipe_file import read_recipe_file  # YAML: only when needed

    path = Path(source).expanduser()
    return read_recipe_file(path, f"recipe {path}")


@cache
def proposal_recipe() -> Recipe:
    """The tutorial's five steps and nine options, for a project proposal or plan."""
    from thrifty.options.recipe_file import read_recipe_text

    return read_recipe_text(proposal_text(), "recipe 'proposal'")


def proposal_text() -> str:
    """The recipe `proposal` as YAML with comments, to copy and change."""
    return files("thrifty.options").joinpath(f"{PROPOSAL}.yaml").read_text("utf-8")


def _check_names(field: str, names: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if (same := seen.setdefault(fold_name(name), name)) is not name:
            raise InvalidInput(field, name, f"choose a name that differs more from {same!r}")


def _read_step_objects(source: object) -> tuple[Step, ...]:
    """Steps as they are, loose options grouped."""
    members = tuple(source) if isinstance(source, Iterable) else (source,)
    if all(isinstance(member, Step) for member in members):
        return members
    if all(isinstance(member, StepOption) for member in members):
        return group_by_step(members)
    odd = next((m for m in members if not isinstance(m, Step | StepOption)), members)
    raise InvalidInput("catalog", odd, "give a path, a mapping, or all Steps, or all StepOptions")

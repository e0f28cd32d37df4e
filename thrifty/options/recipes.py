"""Which recipe a run follows, and which steps it has by that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from thrifty.budget import Budget, InvalidInput, Step
from thrifty.budget.limits import BUDGET_DEFAULT
from thrifty.models.roles.asked import Asked
from thrifty.options.direct_answer import AnswerTerms, DirectAnswer
from thrifty.options.phrases import find_phrase
from thrifty.options.recipe import ANSWER, Recipe, RecipeSource, proposal_recipe
from thrifty.planning.problem import MAX_STEPS_DEFAULT

HOW_TO_ANSWER = f'for a direct answer: recipe="{ANSWER}" in the context, or --recipe {ANSWER}'


class RecipeChoice(NamedTuple):
    """The recipe of a run."""

    name: str
    reason: str = ""
    """Which one was taken and why, for the receipt. Empty where there was no choice."""


@dataclass(frozen=True, slots=True)
class Recipes:
    """What a deployment can do for a task: its recipe, and the direct answer."""

    recipe: Recipe | None
    """None where every task is answered directly."""
    is_only: bool
    """Whether every task follows the recipe."""
    answer: DirectAnswer

    @classmethod
    def of(cls, source: RecipeSource | None, answer: DirectAnswer) -> Recipes:
        """The recipes of a deployment.

        Args:
            source: what it names: `"answer"`, `"proposal"`, or a recipe of its own. None: the
                recipe `proposal` where a task asks for it, and a direct answer else.
            answer: who can answer directly.

        Raises:
            InvalidInput: the source is no recipe, or holds something no plan can use.
        """
        if source == ANSWER:
            return cls(None, False, answer)
        if source is None:
            return cls(proposal_recipe(), False, answer)
        recipe = Recipe.of(source)
        # Who names thrifty's own recipe wants it, whatever the task says.
        return cls(recipe, not recipe.phrases or recipe is proposal_recipe(), answer)

    @property
    def names(self) -> tuple[str, ...]:
        """What a run may name."""
        known = () if self.recipe is None else (self.recipe.name,)
        return known if self.is_only else (ANSWER, *known)

    @property
    def can_answer(self) -> bool:
        """Whether some task has a step that answers it."""
        own = () if self.recipe is None else self.recipe.steps
        return not self.is_only or any(step.role == "answer" for step in own)

    def choose(self, task: str, wanted: str = "") -> RecipeChoice:
        """The recipe that a task follows.

        Args:
            task: what is to be done.
            wanted: the recipe that a person named. Empty: what the task says decides.

        Raises:
            InvalidInput: no recipe has the name that was wanted.
        """
        if wanted and wanted not in self.names:
            raise InvalidInput("recipe", wanted, f"use one of: {', '.join(self.names)}")
        recipe = self.recipe
        if recipe is None or wanted == ANSWER:
            return RecipeChoice(ANSWER)
        if self.is_only:
            return RecipeChoice(recipe.name)
        if wanted:
            return RecipeChoice(recipe.name, f"{recipe.name!r}, as it was named")
        if phrase := find_phrase(task, recipe.phrases):
            why = f"{recipe.name!r}, as the task says {phrase!r}; {HOW_TO_ANSWER}"
            return RecipeChoice(recipe.name, why)
        return RecipeChoice(ANSWER)

    def steps(self, name: str, asked: Asked, words: int = 0) -> tuple[Step, ...]:
        """The steps of a run, in the order of its draft.

        Args:
            name: its recipe, as its state has it. A client may have written that.
            asked: how long what it asks is, for those who answer it.
            words: about how long the answer is to be. Nought: nobody said.

        Raises:
            InvalidInput: this deployment knows no such recipe.
        """
        if name not in self.names:
            raise InvalidInput("run.recipe", name, f"use one of: {', '.join(self.names)}")
        if name == ANSWER or self.recipe is None:
            return self.answer.steps(asked, AnswerTerms.of_length(words))
        return self.recipe.steps

    def budget(self, name: str) -> Budget:
        """What a run of a recipe may spend that nobody gave a budget."""
        own = self.recipe.budget if self.recipe and name == self.recipe.name else None
        return own or BUDGET_DEFAULT

    def max_steps(self, name: str, wanted: int | None) -> int:
        """The most steps that a plan may have: what the run says, or else its recipe."""
        stated = self.recipe.max_steps if self.recipe and name == self.recipe.name else None
        return next((most for most in (wanted, stated) if most is not None), MAX_STEPS_DEFAULT)

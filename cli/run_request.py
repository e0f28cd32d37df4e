"""What commands share: the request of a person, as it was read and checked, and as it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from thrifty.budget import Budget, Step, validate
from thrifty.budget.limits import BUDGET_DEFAULT
from thrifty.checks.checks import Checks
from thrifty.cli.models_argument import models_to_state
from thrifty.cli.own_code import OwnCode, read_own_code
from thrifty.executors.registry import ExecutorRegistry
from thrifty.models.roles.asked import Asked
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.options.direct_answer import who_answers
from thrifty.options.recipe import ANSWER, Recipe
from thrifty.options.recipes import RecipeChoice, Recipes
from thrifty.receipt import wording
from thrifty.run.answer_length import read_words
from thrifty.settings import Settings

if TYPE_CHECKING:
    from thrifty.graph.agent import BudgetAgent
    from thrifty.nodes.context import Context
    from thrifty.run.services import Services

SERVER_FIELDS = ("base_url", "api", "cap_field")
"""What a saved run keeps of the settings, beside the models."""


@dataclass(frozen=True)  # without slots, so that what is found out once is kept
class RunRequest:
    """A checked request."""

    task: str
    documents: Mapping[str, str]
    """The texts that go with it, by name."""
    words: int | None
    """About how long the answer is to be. None: nobody said."""
    attachments: Sequence[Mapping[str, Any]]
    """The images and files that are sent with it, as parts of a message."""
    budget: Budget
    own_recipe: Recipe | None
    """A recipe of the person's own."""
    own_code: OwnCode
    check: Sequence[str]
    """The command whose exit code says whether an answer passes, as words. Empty: none."""
    schema: Mapping[str, Any] | None
    """The JSON schema that the answer has to match. None for an answer as text."""
    settings: Settings
    context: Context
    is_budget_given: bool
    is_offline_asked: bool
    account: str
    """The account that the run is charged to. Empty where it pays for itself."""

    def to_state(self) -> dict[str, Any]:
        """All that a later process needs to go on, as plain data; the key is not part of it."""
        return {
            "task": self.task,
            "documents": dict(self.documents),
            "words": self.words,
            "attachments": list(self.attachments),
            "budget": self.budget.to_state(),
            "own_recipe": None if self.own_recipe is None else self.own_recipe.to_state(),
            "own_code": self.own_code.path,
            "check": list(self.check),
            "schema": None if self.schema is None else dict(self.schema),
            "settings": {
                "models": models_to_state(self.settings),
                **{field: getattr(self.settings, field) for field in SERVER_FIELDS},
            },
            "context": self.context.model_dump(exclude_unset=True),
            "is_budget_given": self.is_budget_given,
            "is_offline_asked": self.is_offline_asked,
            "account": self.account,
        }

    @classmethod
    def from_state(cls, state: object) -> RunRequest:
        """Reads plain data; keys and prices by name are those of the environment now.

        Raises:
            InvalidInput: it is not what `to_state` writes.
        """
        from thrifty.nodes.context import Context  # pydantic: not for a help text

        given = validate.record("request", state, [field.name for field in fields(cls)])
        recipe, schema = given.get("own_recipe"), given.get("schema")
        is_offline = bool(given.get("is_offline_asked"))
        kept = validate.record(
            "request.settings", given.get("settings"), ("models", *SERVER_FIELDS)
        )
        return cls(
            task=validate.text("request.task", given.get("task")),
            documents=_read_texts(given.get("documents")),
            words=read_words(given.get("words")),
            attachments=validate.sequence("request.attachments", given.get("attachments")),
            budget=Budget.from_state(given.get("budget")),
            own_recipe=None if recipe is None else Recipe.from_state(recipe),
            own_code=read_own_code(validate.any_string("request.own_code", given.get("own_code"))),
            check=tuple(validate.sequence("request.check", given.get("check"))),
            schema=schema,
            settings=replace(Settings.from_environment(), **kept, is_offline=is_offline),
            context=Context.of(given.get("context")),
            is_budget_given=bool(given.get("is_budget_given")),
            is_offline_asked=is_offline,
            account=validate.any_string("request.account", given.get("account")),
        )

    @property
    def roles(self) -> ModelRoles:
        """The models that a run can ask."""
        return ModelRoles(self.settings)

    @property
    def budget_line(self) -> str:
        """The budget in a line, and where it comes from."""
        whose = "the default" if self.budget == BUDGET_DEFAULT else "the recipe's"
        source = "" if self.is_budget_given else f" ({whose}, as no limit was given)"
        return f"{wording.describe_limits(self.budget)}{source}"

    @cached_property
    def _own_services(self) -> Services:
        """What an agent with the person's own code works with. To make it loads the graph."""
        return self.make_agent().services

    @property
    def executors(self) -> ExecutorRegistry:
        """Who can do steps beside models and local code."""
        return self._own_services.executors if self.own_code.path else ExecutorRegistry()

    @property
    def checks(self) -> Checks:
        """What results have to pass."""
        return Checks.of(self.own_code.checks, list(self.check) or self.own_code.check)

    @property
    def recipes(self) -> Recipes:
        """What can be done for a task."""
        if self.own_code.path:
            return self._own_services.recipes
        return Recipes.of(self.own_recipe, who_answers(self.roles, ExecutorRegistry()))

    @property
    def recipe(self) -> RecipeChoice:
        """The recipe that the task follows."""
        return self.recipes.choose(self.task, self.context.recipe)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of that recipe."""
        return self.recipes.steps(self.recipe.name, self.asked_length, self.words or 0)

    @property
    def asked_length(self) -> Asked:
        """How long the task is, with its documents."""
        documents = (f"{name}\n{text}" for name, text in self.documents.items())
        said = (self.message, *documents)
        return Asked.of({"messages": [{"role": "user", "content": each} for each in said]})

    @property
    def message(self) -> list[Any]:
        """The task with what is sent with it, as the parts of a message."""
        return [{"type": "text", "text": self.task}, *self.attachments]

    def make_agent(self, **kept: Any) -> BudgetAgent:
        """The agent that does what was asked.

        Args:
            kept: its ledger, checkpointer and store, where it has any.
        """
        from thrifty.graph.build import create_budget_agent  # LangGraph takes a second or two

        return create_budget_agent(
            budget=self.budget,
            catalog=self.own_recipe,
            executors=self.own_code.executors,
            tools=self.own_code.tools,
            response_format=self.schema,
            check=list(self.check) or self.own_code.check,
            checks=self.own_code.checks,
            settings=self.settings,
            account=self.account or None,
            **kept,
        )

    @property
    def offline_line(self) -> str:
        """One sentence when no model is in reach; empty when one is."""
        if not self.roles.is_offline:
            return ""
        reason = self.roles.offline_reason
        told = f"{reason[:1].upper()}{reason[1:]}"
        if self.recipe.name == ANSWER:
            return f"{told}: models are out of reach."
        return f"{told}, so local executors do all of the work."


def _read_texts(given: object) -> dict[str, str]:
    """Documents as they were kept."""
    return {**validate.instance("request.documents", given, Mapping, "{}")}

"""What commands share: the request of a person, read and checked before anything is spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from thrifty.budget import Budget, InvalidInput, check_steps, validate
from thrifty.budget.budget_phrase import parse_budget
from thrifty.budget.limits import BUDGET_DEFAULT, BUDGET_FIELDS
from thrifty.cli.eaten_dollars import read_typed_limits
from thrifty.cli.models_argument import models_to_state, read_models
from thrifty.cli.task_argument import read_task
from thrifty.executors.model_access import check_roles
from thrifty.executors.registry import BUILTIN_EXECUTORS, ExecutorRegistry
from thrifty.models.asked import Asked
from thrifty.models.roles import ModelRoles
from thrifty.options.direct_answer import who_answers
from thrifty.options.recipe import ANSWER, Recipe, load_recipe
from thrifty.options.recipes import RecipeChoice, Recipes
from thrifty.receipt import wording
from thrifty.settings import Settings

if TYPE_CHECKING:
    from thrifty.nodes.context import Context

SERVER_FIELDS = ("base_url", "api", "cap_field")
"""What a saved run keeps of the settings, beside the models."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A checked request."""

    task: str
    budget: Budget
    catalog: Recipe | None
    """A recipe of the person's own."""
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
            "budget": self.budget.to_state(),
            "catalog": None if self.catalog is None else self.catalog.to_state(),
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
        catalog = given.get("catalog")
        is_offline = bool(given.get("is_offline_asked"))
        kept = validate.record(
            "request.settings", given.get("settings"), ("models", *SERVER_FIELDS)
        )
        return cls(
            task=validate.text("request.task", given.get("task")),
            budget=Budget.from_state(given.get("budget")),
            catalog=None if catalog is None else Recipe.from_state(catalog),
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
        source = "" if self.is_budget_given else " (the default, as no limit was given)"
        return f"{wording.describe_limits(self.budget)}{source}"

    @property
    def recipes(self) -> Recipes:
        """What can be done for a task."""
        return Recipes.of(self.catalog, who_answers(self.roles, ExecutorRegistry()))

    @property
    def recipe(self) -> RecipeChoice:
        """The recipe that the task follows."""
        return self.recipes.choose(self.task, self.context.recipe)

    @property
    def task_length(self) -> Asked:
        """How long the task is."""
        return Asked.of({"messages": [{"role": "user", "content": self.task}]})

    @property
    def offline_line(self) -> str:
        """One sentence when no model is in reach; empty when one is."""
        if not self.roles.is_offline:
            return ""
        if self.is_offline_asked and self.recipe.name != ANSWER:
            return "As asked: no model is called, local executors do all of the work."
        if self.recipe.name == ANSWER:
            return "No key and no server: models are out of reach."
        return "No key and no server, so local executors do all of the work."


def read_request(given: Mapping[str, Any]) -> RunRequest:
    """Reads the values of the shared options, by the names of their parameters.

    Raises:
        InvalidInput: a value cannot be used; the field is named as on the command line.
    """
    with name_fields_as_typed(given):
        budget = _read_budget(given)
        catalog = None if given["catalog"] is None else load_recipe(given["catalog"])
        settings = read_settings(given)
        if catalog is not None:
            check_steps(catalog.steps, BUILTIN_EXECUTORS)
            check_roles(catalog.options, ModelRoles(settings))
        request = RunRequest(
            task=read_task(given["task"]),
            budget=budget or BUDGET_DEFAULT,
            catalog=catalog,
            settings=settings,
            context=_read_context(given),
            is_budget_given=budget is not None,
            is_offline_asked=given["offline"],
            account=given.get("account") or "",
        )
        _ = request.recipe  # there has to be one of that name
        return request


@contextmanager
def name_fields_as_typed(given: Mapping[str, Any]) -> Iterator[None]:
    """Names the field of a refusal as on the command line."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(_typed_name(error.field, given), error.value, error.remedy) from error


def _read_budget(given: Mapping[str, Any]) -> Budget | None:
    """The limits of the phrase and of the options; None without any."""
    phrase = (
        Budget()
        if given["budget"] is None
        else read_typed_limits(given["budget"], "budget", parse_budget)
    )
    limits = {name: given[name] for name in BUDGET_FIELDS if given[name] is not None}
    for name, limit in limits.items():
        if getattr(phrase, name) is not None:
            raise InvalidInput(name, limit, "drop it, or leave it out of --budget")
    budget = replace(phrase, **limits)
    return None if budget.is_unlimited else budget


def read_settings(given: Mapping[str, Any]) -> Settings:
    """The deployment's settings, with what the options say instead."""
    settings = Settings.from_environment()
    named = {name: value for name in ("base_url", "api") if (value := given.get(name))}
    settings = replace(settings, **named, is_offline=given["offline"])
    models = read_models(given["models"], given.get("effort"), settings)
    return replace(settings, models=models)


def _read_context(given: Mapping[str, Any]) -> Context:
    from thrifty.nodes.context import Context  # pydantic: not for a help text

    # An option with the name of a field is that field. Limits are the request's own.
    names = Context.model_fields.keys() - set(BUDGET_FIELDS)
    values = {name: given[name] for name in names if given.get(name) is not None}
    if given.get("no_proposals"):
        values["propose_options"] = False
    if given.get("no_learn"):
        values["learn"] = False
    return Context(**values)


def _typed_name(field: str, given: Mapping[str, Any]) -> str:
    """A field's name as the person typed it: `max_tokens` is `--max-tokens`."""
    name = field.removeprefix("context.").partition(".")[0]
    is_option = name != "task" and given.get(name) is not None
    return f"--{name.replace('_', '-')}" if is_option else field

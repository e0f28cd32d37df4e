"""What commands share: the request of a person, read and checked before anything is spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from thrifty.budget import Budget, InvalidInput, Step, check_steps, validate
from thrifty.budget.budget_phrase import parse_budget
from thrifty.budget.limits import BUDGET_DEFAULT, BUDGET_FIELDS
from thrifty.cli.attach_option import read_attach_option
from thrifty.cli.document_option import read_document_option
from thrifty.cli.eaten_dollars import read_typed_limits
from thrifty.cli.models_argument import models_to_state, read_models
from thrifty.cli.own_code import OwnCode, read_own_code
from thrifty.cli.recipe_argument import NamedRecipe, read_recipe_argument
from thrifty.cli.schema_option import read_schema_option
from thrifty.cli.task_argument import read_task
from thrifty.executors.model_access import check_roles
from thrifty.executors.registry import BUILTIN_EXECUTORS, ExecutorRegistry
from thrifty.models.roles.asked import Asked
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.options.direct_answer import who_answers
from thrifty.options.recipe import ANSWER, Recipe
from thrifty.options.recipes import RecipeChoice, Recipes
from thrifty.receipt import wording
from thrifty.run.answer_length import read_words
from thrifty.run.documents import read_documents
from thrifty.settings import Settings

if TYPE_CHECKING:
    from thrifty.graph.agent import BudgetAgent
    from thrifty.nodes.context import Context

FIELD_OPTIONS = {
    "documents": "--document",
    "attachments": "--attach",
    "response_format": "--schema",
    "executors": "--tools",
}
"""Fields whose options have another name."""
SERVER_FIELDS = ("base_url", "api", "cap_field")
"""What a saved run keeps of the settings, beside the models."""


@dataclass(frozen=True, slots=True)
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

    @property
    def recipes(self) -> Recipes:
        """What can be done for a task."""
        if self.own_code.path:
            return self.make_agent().services.recipes
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


def read_request(given: Mapping[str, Any]) -> RunRequest:
    """Reads the values of the shared options, by the names of their parameters.

    Raises:
        InvalidInput: a value cannot be used; the field is named as on the command line.
    """
    with name_fields_as_typed(given):
        budget, settings = _read_budget(given), read_settings(given)
        ModelRoles(settings).require_packages()
        named = read_recipe_argument(given["recipe"])
        request = RunRequest(
            task=read_task(given["task"]),
            documents=read_document_option(given["documents"]),
            words=read_words(given["words"]),
            attachments=read_attach_option(given["attachments"]),
            budget=budget or BUDGET_DEFAULT,
            own_recipe=named.own,
            own_code=read_own_code(given["tools"]),
            schema=read_schema_option(given["schema"]),
            settings=settings,
            context=_read_context(given, named),
            is_budget_given=budget is not None,
            is_offline_asked=given["offline"],
            account=given.get("account") or "",
        )
        _check_steps(request, given)
        own = request.recipes.budget(request.recipe.name)
        return request if request.is_budget_given else replace(request, budget=own)


def _check_steps(request: RunRequest, given: Mapping[str, Any]) -> None:
    """Refuses now what an agent would refuse when it is made, or when its run begins.

    Raises:
        InvalidInput: nobody can do a step, or the recipe has no use for what was handed over.
    """
    if request.own_recipe is not None and not request.own_code.path:
        check_steps(request.own_recipe.steps, BUILTIN_EXECUTORS)
        check_roles(request.own_recipe.options, request.roles)
    steps, name = request.steps, request.recipe.name
    read_documents(request.documents, steps)
    if name == ANSWER:
        return
    if given["schema"] and not any(step.role == "answer" for step in steps):
        remedy = f"no step of the recipe {name!r} answers; add --recipe {ANSWER}, or drop it"
        raise InvalidInput("schema", given["schema"], remedy)
    if files := given["attachments"]:
        remedy = f"the recipe {name!r} reads the text of the task alone; add --recipe {ANSWER}"
        raise InvalidInput("attachments", files[0], remedy)


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


def _read_texts(given: object) -> dict[str, str]:
    """Documents as they were kept."""
    return {**validate.instance("request.documents", given, Mapping, "{}")}


def _read_context(given: Mapping[str, Any], named: NamedRecipe) -> Context:
    from thrifty.nodes.context import Context  # pydantic: not for a help text

    # An option with the name of a field is that field. Limits are the request's own.
    names = Context.model_fields.keys() - set(BUDGET_FIELDS)
    values = {name: given[name] for name in names if given.get(name) is not None}
    values |= {"recipe": named.name} if named.name else {}
    if given.get("no_proposals"):
        values["propose_options"] = False
    if given.get("no_learn"):
        values["learn"] = False
    return Context(**values)


def _typed_name(field: str, given: Mapping[str, Any]) -> str:
    """A field's name as the person typed it: `max_tokens` is `--max-tokens`."""
    name = field.removeprefix("context.").partition(".")[0]
    is_option = name != "task" and given.get(name) is not None
    if name in FIELD_OPTIONS:
        return FIELD_OPTIONS[name]
    return f"--{name.replace('_', '-')}" if is_option else field

"""Reads a request from the options of a command line, and checks it before anything is spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from thrifty.budget import Budget, InvalidInput, check_steps
from thrifty.budget.budget_phrase import parse_budget
from thrifty.budget.limits import BUDGET_DEFAULT, BUDGET_FIELDS
from thrifty.cli.attach_option import read_attach_option
from thrifty.cli.check_option import read_check_option
from thrifty.cli.document_option import read_document_option
from thrifty.cli.eaten_dollars import read_typed_limits
from thrifty.cli.models_argument import read_models
from thrifty.cli.own_code import read_own_code
from thrifty.cli.recipe_argument import NamedRecipe, read_recipe_argument
from thrifty.cli.run_request import RunRequest
from thrifty.cli.schema_option import read_schema_option
from thrifty.cli.task_argument import read_task
from thrifty.executors.model_access import check_roles
from thrifty.executors.registry import BUILTIN_EXECUTORS
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.options.recipe import ANSWER
from thrifty.run.answer_length import read_words
from thrifty.run.documents import read_documents
from thrifty.settings import Settings

if TYPE_CHECKING:
    from thrifty.nodes.context import Context

FIELD_OPTIONS = {
    "documents": "--document",
    "attachments": "--attach",
    "response_format": "--schema",
    "executors": "--tools",
}
"""Fields whose options have another name."""


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
            check=read_check_option(given["check"]),
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

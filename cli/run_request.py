"""What commands share: the request of a person, read and checked before anything is spent."""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from thrifty.budget import Budget, InvalidInput, Step, check_steps, validate
from thrifty.budget.budget_phrase import parse_budget
from thrifty.budget.limits import BUDGET_DEFAULT, BUDGET_FIELDS
from thrifty.cli.task_argument import read_task
from thrifty.executors.registry import BUILTIN_EXECUTORS
from thrifty.options.catalog import Catalog, load_catalog
from thrifty.receipt import wording
from thrifty.settings import Settings

if TYPE_CHECKING:
    from thrifty.nodes.context import Context

SETTINGS_FIELDS = {"OPENAI_BASE_URL": "base_url", "THRIFTY_API": "api", "THRIFTY_CAP": "cap_field"}
"""What a saved run keeps of the settings: a field for each variable of the environment."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A checked request."""

    task: str
    budget: Budget
    catalog: Catalog
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
            "catalog": [step.to_state() for step in self.catalog.steps],
            "settings": {
                name: getattr(self.settings, field) for name, field in SETTINGS_FIELDS.items()
            },
            "context": self.context.model_dump(exclude_unset=True),
            "is_budget_given": self.is_budget_given,
            "is_offline_asked": self.is_offline_asked,
            "account": self.account,
        }

    @classmethod
    def from_state(cls, state: object) -> RunRequest:
        """Reads plain data; key and prices are those of the environment now.

        Raises:
            InvalidInput: it is not what `to_state` writes.
        """
        from thrifty.nodes.context import Context  # pydantic: not for a help text

        given = validate.record("request", state, [field.name for field in fields(cls)])
        steps = validate.sequence("request.catalog", given.get("catalog"))
        is_offline = bool(given.get("is_offline_asked"))
        kept = validate.record("request.settings", given.get("settings"), SETTINGS_FIELDS)
        return cls(
            task=validate.text("request.task", given.get("task")),
            budget=Budget.from_state(given.get("budget")),
            catalog=Catalog.of([Step.from_state(step) for step in steps]),
            settings=_environment_settings(kept, is_offline),
            context=Context.of(given.get("context")),
            is_budget_given=bool(given.get("is_budget_given")),
            is_offline_asked=is_offline,
            account=validate.any_string("request.account", given.get("account")),
        )

    @property
    def budget_line(self) -> str:
        """The budget in a line, and where it comes from."""
        source = "" if self.is_budget_given else " (the default, as no limit was given)"
        return f"{wording.describe_limits(self.budget)}{source}"

    @property
    def offline_line(self) -> str:
        """One sentence when no model is in reach; empty when one is."""
        if not self.settings.is_offline:
            return ""
        if self.is_offline_asked:
            return "As asked: no model is called, local executors do all of the work."
        return "No key and no server, so local executors do all of the work."


def read_request(given: Mapping[str, Any]) -> RunRequest:
    """Reads the values of the shared options, by the names of their parameters.

    Raises:
        InvalidInput: a value cannot be used; the field is named as on the command line.
    """
    with name_fields_as_typed(given):
        budget = _read_budget(given)
        catalog = load_catalog(given["catalog"])
        check_steps(catalog.steps, BUILTIN_EXECUTORS)
        return RunRequest(
            task=read_task(given["task"]),
            budget=budget or BUDGET_DEFAULT,
            catalog=catalog,
            settings=read_settings(given),
            context=_read_context(given),
            is_budget_given=budget is not None,
            is_offline_asked=given["offline"],
            account=given.get("account") or "",
        )


@contextmanager
def name_fields_as_typed(given: Mapping[str, Any]) -> Iterator[None]:
    """Names the field of a refusal as on the command line."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(_typed_name(error.field, given), error.value, error.remedy) from error


def _read_budget(given: Mapping[str, Any]) -> Budget | None:
    """The limits of the phrase and of the options; None without any."""
    phrase = Budget() if given["budget"] is None else parse_budget(given["budget"])
    limits = {name: given[name] for name in BUDGET_FIELDS if given[name] is not None}
    for name, limit in limits.items():
        if getattr(phrase, name) is not None:
            raise InvalidInput(name, limit, "drop it, or leave it out of --budget")
    budget = replace(phrase, **limits)
    return None if budget.is_unlimited else budget


def read_settings(given: Mapping[str, Any]) -> Settings:
    """The environment's settings, with what the options say instead."""
    options = {"OPENAI_BASE_URL": given["base_url"], "THRIFTY_API": given.get("api")}
    named = {name: value for name, value in options.items() if value}
    return _environment_settings(named, given["offline"])


def _environment_settings(instead: Mapping[str, str], is_offline: bool) -> Settings:
    """The environment's settings with other values instead; offline they lead to no model."""
    settings = Settings.from_environment(ChainMap(dict(instead), os.environ))
    return replace(settings, api_key="", base_url="") if is_offline else settings


def requested_models(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The models that a run would ask: one that writes, and one that proposes."""
    context = _read_context(given)
    return tuple(dict.fromkeys((context.model, context.proposal_model)))


def _read_context(given: Mapping[str, Any]) -> Context:
    from thrifty.nodes.context import Context  # pydantic: not for a help text

    # An option with the name of a field is that field. Limits are the request's own.
    names = Context.model_fields.keys() - set(BUDGET_FIELDS)
    values = {name: given[name] for name in names if given.get(name) is not None}
    if given["model"] is not None:
        # A server of one's own seldom has the default model for proposals too.
        values["proposal_model"] = given["model"]
    if given.get("no_proposals"):
        values["propose_options"] = False
    if given.get("no_learn"):
        values["learn"] = False
    return Context(**values)


def _typed_name(field: str, given: Mapping[str, Any]) -> str:
    """A field's name as the person typed it: `max_tokens` is `--max-tokens`."""
    name = field.removeprefix("context.").removeprefix("OPENAI_").lower()
    is_option = name != "task" and given.get(name) is not None
    return f"--{name.replace('_', '-')}" if is_option else field

"""What a person asked for on the command line, read and checked before anything is spent."""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from thrifty.budget import Budget, InvalidInput, check_steps
from thrifty.budget.limits import BUDGET_DEFAULT, BUDGET_FIELDS
from thrifty.cli.task import read_task
from thrifty.executors.catalog import Catalog, load_catalog
from thrifty.executors.registry import RESERVED
from thrifty.receipt import words
from thrifty.settings import Settings

if TYPE_CHECKING:
    from thrifty.nodes.context import Context

CONTEXT_FIELDS = (
    "effort",
    "engine",
    "risk",
    "max_steps",
    "max_concurrency",
    "on_drift",
    "max_replans",
)
"""The options that are fields of the context under the same name."""


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request."""

    task: str
    budget: Budget
    catalog: Catalog
    settings: Settings
    context: Context
    is_budget_given: bool
    is_offline_asked: bool

    @property
    def budget_line(self) -> str:
        """The budget in a line, and where it comes from."""
        source = "" if self.is_budget_given else " (the default, as no limit was given)"
        return f"{words.limits(self.budget)}{source}"

    @property
    def offline_line(self) -> str:
        """One sentence when no model is in reach; empty when one is."""
        if not self.settings.is_offline:
            return ""
        if self.is_offline_asked:
            return "As asked: no model is called, local executors do all of the work."
        return "No key and no server, so local executors do all of the work."


def read_request(given: Mapping[str, Any]) -> Request:
    """Reads the values of the shared options, by the names of their parameters.

    Raises:
        InvalidInput: a value cannot be used; the field is named as on the command line.
    """
    try:
        return _read(given)
    except InvalidInput as error:
        raise InvalidInput(_as_typed(error.field, given), error.value, error.remedy) from error


def _read(given: Mapping[str, Any]) -> Request:
    limits = {name: given[name] for name in BUDGET_FIELDS if given[name] is not None}
    budget = Budget(**limits)
    catalog = load_catalog(given["catalog"])
    check_steps(catalog.steps, RESERVED)
    return Request(
        task=read_task(given["task"]),
        budget=budget if limits else BUDGET_DEFAULT,
        catalog=catalog,
        settings=_settings(given),
        context=_context(given),
        is_budget_given=bool(limits),
        is_offline_asked=given["offline"],
    )


def _settings(given: Mapping[str, Any]) -> Settings:
    """The environment's settings, with what the options say instead."""
    options = {"OPENAI_BASE_URL": given["base_url"], "THRIFTY_API": given["api"]}
    said = {name: value for name, value in options.items() if value}
    settings = Settings.from_environment(ChainMap(said, os.environ))
    return replace(settings, api_key="", base_url="") if given["offline"] else settings


def _context(given: Mapping[str, Any]) -> Context:
    from thrifty.nodes.context import Context  # pydantic: not for a help text

    fields = {name: given[name] for name in CONTEXT_FIELDS if given[name] is not None}
    if given["model"] is not None:
        # A server of one's own seldom has the default model for proposals too.
        fields |= {"model": given["model"], "proposal_model": given["model"]}
    if given["no_proposals"]:
        fields["propose_options"] = False
    return Context(**fields)


def _as_typed(field: str, given: Mapping[str, Any]) -> str:
    """A field's name as the person typed it: `max_tokens` is `--max-tokens`."""
    name = field.removeprefix("context.").removeprefix("OPENAI_").lower()
    is_option = name != "task" and given.get(name) is not None
    return f"--{name.replace('_', '-')}" if is_option else field

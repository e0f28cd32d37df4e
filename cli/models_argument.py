"""What commands share: the models of a run, as `--models` names them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.models.providers.vendors import named_vendors
from thrifty.models.roles.model import Model
from thrifty.settings import STRONG, Settings

REMEDY = "write roles and models, as in strong=gpt-5,cheap=gpt-5-mini, or one model alone"


def read_models(text: str | None, effort: str | None, settings: Settings) -> Mapping[str, Any]:
    """The models by role.

    Args:
        text: roles with a model each (`strong=gpt-5,cheap=gpt-5-mini`), roles of the settings, or
            a model alone, which is then strong. None leaves the settings as they are.
        effort: how hard those think that can be told, where somebody says so.
        settings: of the deployment.

    Raises:
        InvalidInput: a part is none of these, a role is named twice, or no model takes an effort.
    """
    models: dict[str, Any] = dict(settings.models)
    if text is not None:
        models = dict(_read_part(part.strip(), settings) for part in text.split(","))
        if len(models) < text.count(",") + 1:
            raise InvalidInput("models", text, REMEDY)
    if effort is not None:
        known: Mapping[str, Any] = models or settings.models_by_role
        told = {role for role, model in known.items() if _takes_effort(model)}
        models = {r: replace(m, effort=effort) if r in told else m for r, m in known.items()}
        if not told:
            raise InvalidInput("effort", effort, "leave it out: none of the models takes one")
    return models


def models_to_state(settings: Settings) -> dict[str, Any]:
    """The models that settings name, as plain data that they read again. It holds no key."""
    models = settings.models.items()
    return {role: model.to_state() for role, model in models if isinstance(model, Model)}


def _takes_effort(model: Model) -> bool:
    return named_vendors()[model.vendor].takes_effort(model.name)


def _read_part(part: str, settings: Settings) -> tuple[str, Any]:
    role, is_pair, name = part.partition("=")
    if is_pair:
        return role.strip(), Model.read(f"models.{role}", name)
    if part in (known := settings.models_by_role):
        return part, known[part]
    return STRONG, Model.read("models", part)

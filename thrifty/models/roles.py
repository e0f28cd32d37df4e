"""The models of a deployment by role: what options, prompts and people name them by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.models.input_bound import (
    O200K_MODELS,
    encoding_model,
    is_openai_address,
    tokens_bound,
)
from thrifty.models.model import Api, CapField, Model, ShapeField
from thrifty.models.prices import PriceList
from thrifty.settings import CHEAP, KEY_VARIABLE, STRONG, Settings, key_in_environment

EFFORT_DEFAULT = "low"
REASONING_MODELS = ("gpt-5", "o1", "o3", "o4")
REASONING_FACTORS = {"minimal": 1.2, "low": 1.5, "medium": 2.5, "high": 5.0}
"""How many tokens a model writes for each token of its answer, by effort. Priors."""
EFFORT_OF_OPENAI = "medium"
"""How hard a model that reasons thinks where nobody says."""
OUTPUT_TOKENS_KNOWN = 16_000
"""What each of OpenAI's models since gpt-4o can write in one answer."""
OUTPUT_TOKENS_UNKNOWN = 4_000
"""The same of a model that nobody here knows: some servers refuse a cap above what it can."""
NO_SERVER = "offline: no key and no server"
AS_ASKED = "offline, as asked"


@dataclass(frozen=True, slots=True)
class ModelRole:
    """A model of a deployment, under the name by which options ask for it."""

    name: str
    """The role: `strong`, `cheap`, `local`, …"""
    model: str
    """What its server calls the model."""
    base_url: str
    """Where it is asked; empty for OpenAI's own address."""
    api_key: str = field(repr=False)
    """Sent to that address. Empty where it needs none."""
    key_variable: str
    """The variable of the environment that holds the key. Empty where none is asked for."""
    api: Api
    """Which of the two OpenAI protocols is spoken there."""
    cap_field: CapField
    """What Chat Completions calls the output cap there."""
    effort: str | None
    """The reasoning effort that is sent. None sends none."""
    reasoning_factor: float
    """How many tokens it writes for each token of its answer, with its reasoning."""
    prices: PriceList
    """What it costs: ask for the price of `model`."""
    shape_field: ShapeField = "tools"
    """Where Chat Completions says there which shape an answer is to have."""
    tokens_per_attachment: int | None = None
    """The most that an image or a file can be for it. None where nobody said."""
    offline_reason: str = ""
    """Why it cannot be asked; empty where it can."""
    label: str = ""
    """What people read: the model, and its role where another has a model of the same name."""
    client: Any = None
    """The chat model of the deployment's own that is asked. None: one is made of the rest."""

    @property
    def is_offline(self) -> bool:
        """Whether it cannot be asked."""
        return bool(self.offline_reason)

    @property
    def encoding(self) -> str:
        """The name by which its encoding is known; empty where texts are bounded by their bytes."""
        return encoding_model(self.model, self.base_url)

    @property
    def output_tokens_most(self) -> int:
        """How many tokens it can surely be asked for in one answer."""
        is_known = self.encoding.startswith(O200K_MODELS)
        return OUTPUT_TOKENS_KNOWN if is_known else OUTPUT_TOKENS_UNKNOWN

    def tokens_bound(self, text: str) -> int:
        """The most tokens that a text can be for it."""
        return tokens_bound(text, self.encoding)


class ModelRoles:
    """The model roles of a deployment, in the order in which it names them."""

    def __init__(self, settings: Settings) -> None:
        models = settings.models_by_role
        roles = [_resolve(name, model, settings) for name, model in models.items()]
        self._roles = {role.name: replace(role, label=_label(role, roles)) for role in roles}
        self.names = tuple(self._roles)
        """What an option may name as its model."""
        self.strong = STRONG if STRONG in self._roles else self.names[0]
        """The role of options that name none. A model that is alone is strong."""
        self.cheap = CHEAP if CHEAP in self._roles else self.strong
        """The role that is asked for proposals."""

    def __getitem__(self, name: str) -> ModelRole:
        """The role of that name.

        Raises:
            InvalidInput: there is none.
        """
        self.check("model", name)
        return self._roles[name]

    def __iter__(self) -> Iterator[ModelRole]:
        """The roles, in order."""
        return iter(self._roles.values())

    @property
    def is_offline(self) -> bool:
        """Whether no model can be asked at all."""
        return all(role.is_offline for role in self)

    @property
    def offline_reason(self) -> str:
        """Why no model is at hand: "no key and no server", or "as asked"."""
        reasons = dict.fromkeys(re.sub("^offline[:,] ", "", each.offline_reason) for each in self)
        return " and ".join(reasons)

    def check(self, field: str, name: object) -> None:
        """Refuses a name that is no role.

        Args:
            field: what an error calls it.
            name: of a role.

        Raises:
            InvalidInput: with the roles that there are.
        """
        if name not in self._roles:
            known = ", ".join(self.names)
            raise InvalidInput(field, name, f"use one of the deployment's model roles: {known}")


def reasoning_effort(model: str, effort: str) -> str | None:
    """What to send as effort: nothing to a model that does not reason, unless it was asked for."""
    if effort != "auto":
        return effort
    return EFFORT_DEFAULT if model.startswith(REASONING_MODELS) else None


def _label(role: ModelRole, roles: Sequence[ModelRole]) -> str:
    is_alone = sum(other.model == role.model for other in roles) == 1
    return role.model if is_alone else f"{role.model} ({role.name})"


def _resolve(name: str, model: Any, settings: Settings) -> ModelRole:
    if not isinstance(model, Model):
        return _resolve_client(name, model, settings)
    base_url = model.base_url or settings.base_url
    is_own = bool(model.base_url)
    api = model.api or (None if is_own else settings.api) or ("chat" if base_url else "responses")
    cap_field = model.cap_field or (None if is_own else settings.cap_field)
    variable = model.key_variable or ("" if is_own else KEY_VARIABLE)
    key = _key(model, settings)
    effort = reasoning_effort(model.name, model.effort)
    prices = settings.prices if model.price is None else {model.name: model.price}
    return ModelRole(
        name=name,
        model=model.name,
        base_url=base_url,
        api_key=key,
        key_variable=variable,
        api=api,
        cap_field=cap_field or "max_completion_tokens",
        effort=effort,
        reasoning_factor=model.reasoning_factor or REASONING_FACTORS.get(effort or "", 1.0),
        prices=PriceList(
            prices,
            takes_reported=model.reported_cost,
            is_tier_open=not is_openai_address(base_url),
        ),
        shape_field=(model.shape_field if api == "chat" else None) or "tools",
        tokens_per_attachment=model.tokens_per_attachment,
        offline_reason=_offline_reason(model, key, settings),
    )


def _key(model: Model, settings: Settings) -> str:
    """The key of a model: it is sent to the address beside which it stands, and to no other."""
    if model.key_variable:
        return key_in_environment(model.key_variable)
    return "" if model.base_url else settings.api_key


def _offline_reason(model: Model, key: str, settings: Settings) -> str:
    if settings.is_offline:
        return AS_ASKED
    if key or (not model.key_variable and (model.base_url or settings.base_url)):
        return ""
    return f"offline: {model.key_variable} holds no key" if model.key_variable else NO_SERVER


def _resolve_client(name: str, client: Any, settings: Settings) -> ModelRole:
    """A role whose model was made by LangChain: it keeps its own address, key and effort."""
    from thrifty.models.providers.openai import OpenAIModel  # loaded already, with the client

    try:
        model = OpenAIModel(client)
    except InvalidInput as error:
        raise InvalidInput(f"models.{name}", error.value, error.remedy) from None
    named = model.name or getattr(client, "deployment_name", None) or name  # Azure may name none
    effort = client.reasoning_effort or (client.reasoning or {}).get("effort")
    if effort is None and named.startswith(REASONING_MODELS):
        effort = EFFORT_OF_OPENAI
    return ModelRole(
        name=name,
        model=named,
        base_url=model.address,
        api_key="",
        key_variable="",
        api="responses" if client.use_responses_api else "chat",
        cap_field="max_completion_tokens",
        effort=effort,
        reasoning_factor=REASONING_FACTORS.get(effort or "", 1.0),
        prices=PriceList(settings.prices, is_tier_open=not is_openai_address(model.address)),
        offline_reason=AS_ASKED if settings.is_offline else "",
        client=client,
    )

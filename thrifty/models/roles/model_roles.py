"""The models of a deployment by role: what options, prompts and people name them by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.models.costs.input_bound import has_standard_tier
from thrifty.models.costs.prices import PriceList
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_facts import Server
from thrifty.models.providers.vendors import named_vendors, vendor_model
from thrifty.models.roles.model import Model
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.wire.openai_protocol import OPENAI, Api
from thrifty.settings import CHEAP, STRONG, Settings, variable_in_environment

NO_SERVER = "offline: no key and no server"
AS_ASKED = "offline, as asked"


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

    def require_packages(self) -> None:
        """Refuses models that cannot be asked as a vendor's package is missing.

        Raises:
            InvalidInput: one is; the error says what to install.
        """
        for role in self:
            if role.offline_reason != AS_ASKED:
                role.require_package()

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


def _label(role: ModelRole, roles: Sequence[ModelRole]) -> str:
    is_alone = sum(other.model == role.model for other in roles) == 1
    return role.model if is_alone else f"{role.model} ({role.name})"


def _resolve(name: str, model: Any, settings: Settings) -> ModelRole:
    if not isinstance(model, Model):
        return _resolve_client(name, model, settings)
    try:
        return _resolve_model(name, model, settings)
    except InvalidInput as error:
        raise InvalidInput(f"models.{name}.{error.field}", error.value, error.remedy) from None


def _resolve_model(name: str, model: Model, settings: Settings) -> ModelRole:
    vendor = named_vendors()[model.vendor]
    vendor.check_described(model.base_url, model.key_variable)
    server, is_apart = vendor.usual_server(settings), bool(model.base_url)
    if is_apart:  # a key is sent to the address beside which it stands, and to no other
        server = Server(model.base_url, "")
    _check_whose_key(model, vendor)
    if model.key_variable:
        server = server._replace(key=variable_in_environment(model.key_variable))
    thinking = vendor.thinking(model.name, model.effort)
    return ModelRole(
        name=name,
        vendor=vendor,
        model=model.name,
        base_url=server.address,
        api_key=server.key,
        key_variable=model.key_variable or ("" if is_apart else vendor.key_variable),
        thinking=thinking,
        reasoning_factor=model.reasoning_factor or thinking.factor,
        prices=_prices(model, vendor, server.address, settings),
        tokens_per_attachment=model.tokens_per_attachment,
        fees=model.fees,
        offline_reason=_offline_reason(model, vendor, server, settings),
        is_apart=is_apart,
        **_protocol(model, settings, server.address),
    )


def _protocol(model: Model, settings: Settings, base_url: str) -> dict[str, Any]:
    """Which of OpenAI's protocols is spoken, and in which fields of it. Nothing for another."""
    if model.vendor != OPENAI:
        return {}
    is_own = bool(model.base_url)
    api = model.api or (None if is_own else settings.api) or ("chat" if base_url else "responses")
    cap_field = model.cap_field or (None if is_own else settings.cap_field)
    return {
        "api": api,
        "cap_field": cap_field or "max_completion_tokens",
        "encoding_told": model.encoding,
        "shape_field": (model.shape_field if api == "chat" else None) or "tools",
    }


def _prices(
    model: Model, vendor: Vendor | type[Vendor], address: str, settings: Settings
) -> PriceList:
    price = model.price or settings.prices.get(model.name) or vendor.own_price(model.name, address)
    return PriceList(
        settings.prices if price is None else {**settings.prices, model.name: price},
        takes_reported=model.reported_cost or vendor.reports_cost,
        is_tier_open=not has_standard_tier(address),
        vendor=vendor.listed_as,
    )


def _check_whose_key(model: Model, vendor: type[Vendor]) -> None:
    """Refuses to send one vendor's key to another's address.

    Raises:
        InvalidInput: a variable is named that is another's, and no address beside it.
    """
    others = {
        other.key_variable
        for other in named_vendors().values()
        if other.key_variable != vendor.key_variable
    }
    if not model.base_url and model.key_variable and model.key_variable in others:
        remedy = f"{vendor.title} is not sent it: leave it out"
        if vendor.key_variable:
            remedy += f", set {vendor.key_variable}"
        raise InvalidInput("key_variable", model.key_variable, f"{remedy}, or name a base_url")


def _offline_reason(model: Model, vendor: type[Vendor], server: Server, settings: Settings) -> str:
    """Why a model cannot be asked; empty where it can."""
    if settings.is_offline:
        return AS_ASKED
    if not vendor.is_installed():
        return f"offline: {vendor.install_remedy()}"
    if server.key:
        return ""
    if model.key_variable:
        return f"offline: {model.key_variable} holds no key"
    if not vendor.key_variable or server.address not in ("", vendor.home):
        return ""  # a server of one's own may need none
    return NO_SERVER if model.vendor == OPENAI else f"offline: {vendor.key_variable} holds no key"


def _resolve_client(name: str, client: Any, settings: Settings) -> ModelRole:
    """A role whose model was made by LangChain: it keeps its own address, key and effort."""
    try:
        model = vendor_model(client)
    except InvalidInput as error:
        raise InvalidInput(f"models.{name}", error.value, error.remedy) from None
    vendor, thinking = type(model), model.thinking_of(client)
    named = model.name or getattr(client, "deployment_name", None) or name  # Azure may name none
    as_named = Model(named, vendor=OPENAI)
    return ModelRole(
        name=name,
        vendor=vendor,
        model=named,
        base_url=model.address,
        api_key="",
        key_variable="",
        thinking=thinking,
        reasoning_factor=thinking.factor,
        prices=_prices(as_named, model, model.address, settings),
        api=_api_of(client),
        offline_reason=AS_ASKED if settings.is_offline else "",
        is_apart=True,
        client=client,
    )


def _api_of(client: Any) -> Api | None:
    """Which of OpenAI's protocols a chat model speaks; None for another's."""
    if not hasattr(client, "use_responses_api"):
        return None
    return "responses" if client.use_responses_api else "chat"

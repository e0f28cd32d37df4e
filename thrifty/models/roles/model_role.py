"""A model of a deployment, under the name by which options, prompts and people ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.models.calls.allowance import OUTPUT_CAP_MIN
from thrifty.models.costs.hosted_uses import HostedUses, UseFee
from thrifty.models.costs.input_bound import input_tokens, json_input_tokens, tokens_bound
from thrifty.models.costs.prices import PriceList
from thrifty.models.costs.unseen_input import unseen_input
from thrifty.models.costs.use_fees import ROLE_FEE_REMEDY, UNDECLARED_REMEDY, use_fee
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_facts import OUTPUT_TOKENS_UNKNOWN
from thrifty.models.providers.vendor_request import CallBounds
from thrifty.models.wire.openai_protocol import Api, CapField, Encoding, ShapeField


@dataclass(frozen=True, slots=True)
class ModelRole:
    """A model of a deployment, under the name by which options ask for it."""

    name: str
    """The role: `strong`, `cheap`, `local`, …"""
    vendor: type[Vendor]
    """Whose client asks it."""
    model: str
    """What its server calls the model."""
    base_url: str
    """Where it is asked; empty for OpenAI's own address."""
    api_key: str = field(repr=False)
    """Sent to that address. Empty where it needs none."""
    key_variable: str
    """The variable of the environment that holds the key. Empty where none is asked for."""
    thinking: Thinking
    """How hard it thinks, and what says so."""
    reasoning_factor: float
    """How many tokens it writes for each token of its answer, with its reasoning."""
    prices: PriceList
    """What it costs: ask for the price of `model`."""
    api: Api | None = None
    """Which of the two OpenAI protocols is spoken there; None where another one is."""
    cap_field: CapField = "max_completion_tokens"
    """What Chat Completions calls the output cap there."""
    shape_field: ShapeField = "tools"
    """Where Chat Completions says there which shape an answer is to have."""
    tokens_per_attachment: int | None = None
    """The most that an image or a file can be for it. None where nobody said."""
    encoding_told: Encoding | None = None
    """By which encoding its deployment says that its server counts; None where nobody said."""
    fees: Mapping[str, UseFee] = field(default_factory=dict, hash=False)
    """What each search costs that it makes by itself, as its deployment says."""
    offline_reason: str = ""
    """Why it cannot be asked; empty where it can."""
    label: str = ""
    """What people read: the model, and its role where another has a model of the same name."""
    is_apart: bool = False
    """Whether its address is its own, and not what the settings or the environment say of its
    vendor."""
    client: Any = None
    """The chat model of the deployment's own that is asked. None: one is made of the rest."""

    @property
    def is_offline(self) -> bool:
        """Whether it cannot be asked."""
        return bool(self.offline_reason)

    @property
    def address(self) -> str:
        """Where it is asked, also where that goes without saying."""
        return self.base_url or self.vendor.home

    @property
    def effort(self) -> str | None:
        """How hard it thinks, in its vendor's word. None where nothing is said of it."""
        return self.thinking.effort

    @property
    def encoding(self) -> str:
        """The name by which its encoding is known; empty where texts are bounded by their bytes."""
        return self.encoding_told or self.vendor.encoding(self.model, self.base_url)

    @property
    def output_tokens_most(self) -> int:
        """How many tokens it can surely be asked for in one answer."""
        return self.vendor.output_tokens_most(self.model, self.base_url)

    @property
    def knows_output_tokens(self) -> bool:
        """Whether that is known of it, and not of all models."""
        return self.output_tokens_most > OUTPUT_TOKENS_UNKNOWN

    @property
    def output_tokens_least(self) -> int:
        """How many it has to be asked for at least: its thought, and something of an answer."""
        return self.thinking.tokens + OUTPUT_CAP_MIN

    @property
    def uses(self) -> HostedUses:
        """The searches that each call may make."""
        return HostedUses(self.fees)

    @property
    def undeclared_fee(self) -> str:
        """What it does by itself for a fee that nobody declared, and the remedy; empty: nothing."""
        remedy = ROLE_FEE_REMEDY if self.vendor.limits_uses else UNDECLARED_REMEDY
        fee = use_fee({"model": self.model}, self.fees)
        return f"{fee}; {remedy}" if fee else ""

    def tokens_bound(self, text: str) -> int:
        """The most tokens that a text can be for it."""
        return tokens_bound(text, self.encoding)

    def input_tokens(self, body: Mapping[str, Any]) -> int:
        """The most input tokens that a request can be billed.

        Args:
            body: in OpenAI's protocols, whatever its vendor's is.
        """
        attached = self.tokens_per_attachment or 0
        unseen = unseen_input.room(self.address, self.model)
        if self.vendor.counts_as_json:
            return json_input_tokens(body, attached) + unseen
        return input_tokens(body, self.encoding, attached) + unseen

    def call_bounds(self, output_tokens_max: int) -> CallBounds:
        """What bounds each of its calls.

        Args:
            output_tokens_max: the largest cap that is ever sent.
        """
        said = self.tokens_per_attachment, self.cap_field, self.encoding_told
        return CallBounds(output_tokens_max, *said, self.fees, searches=bool(self.fees))

    def require_package(self) -> None:
        """Refuses a model that cannot be asked as its vendor's package is missing.

        Raises:
            InvalidInput: it is; the error says what to install.
        """
        if self.client is None and not self.vendor.is_installed():
            named = f"{self.vendor.names[0]}:{self.model}"
            raise InvalidInput(f"models.{self.name}", named, self.vendor.install_remedy())

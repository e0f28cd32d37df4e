"""OpenRouter's models by langchain-openrouter: what the gateway calls things, and adds."""

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from thrifty.budget import Budget
from thrifty.models.costs.reported_cost import REPORTED_USAGE
from thrifty.models.providers.caps import without_caps
from thrifty.models.providers.chat_completions import ChatCompletionsModel
from thrifty.models.providers.refusals import refuse_unbounded
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor_request import VendorRequest
from thrifty.models.wire import connection_pool

LIBRARY = "httpx"
CLIENT = "AsyncClient"
NOT_SENT = "ls_structured_output_format"
"""An argument of a call that is LangChain's own."""
REMOTE = ("plugins", "models", "route", "preset")
"""Fields by which more is run or billed than is sent, or by a model that nobody here names."""
EFFORT_UNSAID = "medium"
"""How hard a model thinks that is told only for how long."""
ONLINE = ":online"
"""How the name of a model ends that searches before it answers."""
STANDARD_TIERS = ("auto", "default")
COST, COST_DETAILS = "cost", "cost_details"
"""Where LangChain leaves what the gateway says that an answer has cost."""


class OpenRouterModel(ChatCompletionsModel):
    """A chat model of langchain-openrouter, for metered calls.

    The gateway chooses who answers, at prices of their own. What it says that a call has cost is
    the bill.
    """

    package = "langchain-openrouter"
    kind = "ChatOpenRouter"
    title = "OpenRouter"
    names = ("openrouter",)
    extra = "openrouter"
    key_variable = "OPENROUTER_API_KEY"
    home = "https://openrouter.ai/api/v1"
    address_variables = ("OPENROUTER_API_BASE",)
    listed_as = "openrouter"
    reports_cost = True
    delivery_fields = ("stream", "stream_options", "trace", "session_id")
    why_cap_min = "max_tokens has to be larger than reasoning.max_tokens"

    @classmethod
    def thinking(cls, model: str, effort: str) -> Thinking:
        """The gateway passes on a word, to models that think."""
        return (
            Thinking() if effort == "auto" else Thinking(effort, {"reasoning": {"effort": effort}})
        )

    @classmethod
    def thinking_of(cls, model: Any) -> Thinking:
        """As its owner has said."""
        said = model.reasoning or {}
        tokens = int(said.get("max_tokens") or 0)
        return Thinking(said.get("effort") or (EFFORT_UNSAID if tokens else None), tokens=tokens)

    def name_of(self, model: Any) -> str:
        """As LangChain calls it."""
        return str(model.model_name)

    def address_of(self, model: Any) -> str:
        """As its client is told."""
        address: str = model.client.sdk_configuration.get_server_details()[0]
        return address

    def connect(self, model: Any) -> Any:
        """Its client tries again for an hour where nobody says how often, and also on 0 retries."""
        configured = model.client.sdk_configuration
        named = configured.async_client.headers.items()
        # Our connections say what they can unpack.
        headers = {name: said for name, said in named if name != "accept-encoding"}
        config = replace(
            configured,
            async_client=connection_pool.connections(LIBRARY, CLIENT, headers=headers),
            retry_config=None,
        )
        config.__dict__["_hooks"] = configured.__dict__["_hooks"]
        uncapped = {
            "max_tokens": None,
            "max_completion_tokens": None,
            "model_kwargs": without_caps(model.model_kwargs),
            "client": SimpleNamespace(chat=type(model.client.chat)(config)),
        }
        return model.model_copy(update=uncapped)

    def load(self) -> None:
        """Imports what the client puts off until it is looked at."""
        _ = self.given.client.chat

    def body(
        self,
        connected: Any,
        messages: list[Any],
        stop: list[str] | None,
        options: Mapping[str, Any],
    ) -> dict[str, Any]:
        """As LangChain's class makes it on its way to the client."""
        body = super().body(connected, messages, stop, options)
        body.pop(NOT_SENT, None)
        return body

    def own_cap(self, model: Any) -> Any:
        """The smaller of two that it can be made with."""
        caps = [cap for cap in (model.max_tokens, model.max_completion_tokens) if cap is not None]
        return min(caps, default=None)

    def cap_min(self, body: Mapping[str, Any]) -> int:
        """Thought is written under the cap, and an answer needs room beside it."""
        return int((body.get("reasoning") or {}).get("max_tokens") or 0) + 1

    def tier(self, body: Mapping[str, Any]) -> str:
        """The service tier."""
        tier = super().tier(body)
        return "" if tier in STANDARD_TIERS else tier

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses what is billed without being sent."""
        refuse_unbounded(_why_unbounded(request.body))
        super().check_bounded(request, budget)

    def complete_usage(self, message: Any, body: Mapping[str, Any]) -> None:
        """Puts what it has cost where it stands for other gateways.

        LangChain leaves out whether it was paid with a key of one's own. Then the gateway asks for
        a part of what the provider behind it charges beside. Otherwise, that is in its own price.
        """
        told = message.response_metadata
        if told.get(COST) is not None:
            details = told.get(COST_DETAILS) or {}
            is_own = (details.get("upstream_inference_cost") or 0) > told[COST]
            told[REPORTED_USAGE] = {COST: told[COST], COST_DETAILS: details, "is_byok": is_own}


def _why_unbounded(body: Mapping[str, Any]) -> str:
    for field in REMOTE:
        if body.get(field):
            return f"{field}: more is run, or by another model, than the request says"
    if str(body.get("model")).endswith(ONLINE):
        return f"{body['model']}: what it finds is read as well"
    if "image" in (body.get("modalities") or ()):
        return "modalities: images have prices of their own"
    return ""

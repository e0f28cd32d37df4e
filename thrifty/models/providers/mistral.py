"""Mistral's models by langchain-mistralai: what they call things, and what they add."""

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, ClassVar

from thrifty.budget import Budget
from thrifty.models.costs.input_bound import TOOLS_TOKENS, as_json, sounds
from thrifty.models.costs.reported_cost import REPORTED_USAGE
from thrifty.models.providers.caps import without_caps
from thrifty.models.providers.chat_completions import ChatCompletionsModel, check_sent_whole
from thrifty.models.providers.shared_client import shared_client
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor_facts import thinks_by_itself
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.wire.exchange import current_exchange

MODULE = "langchain_mistralai.chat_models"
SAFE_TOKENS = 100
"""What `safe_prompt` adds to the input: a paragraph of Mistral's."""
THINKING_TOKENS = TOOLS_TOKENS
"""What Mistral tells a model about how to think, at most."""
THINKS = "magistral"
"""How the names of models begin that are told so unless `prompt_mode` says otherwise."""
EFFORT_UNSAID = "medium"
"""How hard they think."""
OWN_TEXTS = ("thinking", "reference")
"""Parts of an answer that are text, and may be sent back."""


class MistralModel(ChatCompletionsModel):
    """A chat model of langchain-mistralai, for metered calls.

    A client that the user gave it is kept: it must not be used on another event loop.
    """

    package = "langchain-mistralai"
    kind = "ChatMistralAI"
    title = "Mistral"
    names = ("mistralai",)
    extra = "mistral"
    key_variable = "MISTRAL_API_KEY"
    home = "https://api.mistral.ai/v1"
    address_variables = ("MISTRAL_BASE_URL",)
    listed_as = "mistral"
    cut_words: ClassVar = {"finish_reason": ("length", "model_length")}

    @classmethod
    def thinking(cls, model: str, effort: str) -> Thinking:
        """Its models that think do so by themselves."""
        if model.startswith(THINKS):
            return thinks_by_itself(model, effort, EFFORT_UNSAID)
        return super().thinking(model, effort)

    @classmethod
    def thinking_of(cls, model: Any) -> Thinking:
        """As a model does that thinks by itself."""
        return cls.thinking(model.model, "auto")

    def name_of(self, model: Any) -> str:
        """As LangChain calls it."""
        return str(model.model)

    def address_of(self, model: Any) -> str:
        """As its client is told."""
        return str(model.endpoint)

    @property
    def is_watched(self) -> bool:
        """Not by a client of the user's own, of which LangChain's differs by its certificates."""
        pool = getattr(self.given.async_client._transport, "_pool", None)
        own = import_module(MODULE).global_ssl_context
        return getattr(pool, "_ssl_context", None) is own

    def connect(self, model: Any) -> Any:
        """Its client is one of httpx's."""
        changes = {"max_tokens": None, "model_kwargs": without_caps(model.model_kwargs)}
        if self.is_watched:
            changes["async_client"] = shared_client(model.async_client)
        return model.model_copy(update=changes)

    def input_tokens(
        self, body: Mapping[str, Any], messages: Sequence[Any], bounds: CallBounds
    ) -> int:
        """With what Mistral tells a model by itself, where it is asked to be safe or to think."""
        told = SAFE_TOKENS if body.get("safe_prompt") else 0
        told += THINKING_TOKENS if body.get("prompt_mode", _thinks(body)) else 0
        return super().input_tokens(_with_plain_texts(body), messages, bounds) + told

    def audio_tokens(self, body: Mapping[str, Any], bounds: CallBounds) -> int:
        """Any attachment that is no picture may be sound."""
        return sounds(_with_plain_texts(body)) * (bounds.tokens_per_attachment or 0)

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses what is billed without being sent."""
        check_sent_whole(_with_plain_texts(request.body), request, budget)

    def complete_usage(self, message: Any, body: Mapping[str, Any]) -> None:
        """What came from a cache is told by the server, and left out by LangChain."""
        counted = message.response_metadata.get(REPORTED_USAGE) or _last_count()
        details = (counted or {}).get("prompt_tokens_details") or {}
        if message.usage_metadata and (cached := details.get("cached_tokens")):
            message.usage_metadata["input_token_details"] = {"cache_read": cached}


def _thinks(body: Mapping[str, Any]) -> bool:
    return str(body.get("model")).startswith(THINKS)


def _with_plain_texts(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same with thought and citations as the texts that they are."""
    messages = [{**message, "content": _plain(message)} for message in body["messages"]]
    return {**body, "messages": messages}


def _plain(message: Mapping[str, Any]) -> Any:
    content = message.get("content")
    if not isinstance(content, list):
        return content
    return [
        as_json(part) if isinstance(part, Mapping) and part.get("type") in OWN_TEXTS else part
        for part in content
    ]


def _last_count() -> Mapping[str, Any] | None:
    """The count in the last event of a stream that has one, where it was watched."""
    return next(_counts(), None)


def _counts() -> Iterator[Mapping[str, Any]]:
    exchange = current_exchange()
    told = [] if exchange is None else exchange.tail.decode("utf-8", "replace").splitlines()
    for line in reversed(told):
        if line.startswith("data:"):
            try:
                usage = json.loads(line.removeprefix("data:")).get("usage")
            except (ValueError, RecursionError, AttributeError):
                continue
            if isinstance(usage, Mapping):
                yield usage

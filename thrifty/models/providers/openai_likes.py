"""Vendors whose class is OpenAI's or made from it: what they share."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from thrifty.budget import Budget, InvalidInput
from thrifty.models.costs.hosted_uses import uses_sent_again
from thrifty.models.costs.input_bound import input_tokens, recalled_tokens, sounds
from thrifty.models.costs.reported_cost import REPORTED_USAGE
from thrifty.models.providers.caps import without_caps
from thrifty.models.providers.chat_completions import check_sent_whole
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.wire import connection_pool
from thrifty.models.wire.openai_protocol import OPENAI, CapField

LIBRARY = "openai"
RESPONSES_CAP_MIN = 16
"""The Responses API refuses lower caps."""


class OpenAILikeModel(Vendor):
    """A chat model that is asked by OpenAI's client, in either of its protocols.

    A transport that the user gave it is kept: it must not be used on another event loop.
    """

    counts_as_json = False
    cut_words: ClassVar = {"finish_reason": ("length",), "status": ("incomplete",)}
    delivery_fields = ("stream", "stream_options", "timeout", "extra_headers", "extra_query")
    why_cap_min = "the Responses API takes no smaller cap"

    def check(self, model: Any) -> None:
        """It needs a client for async calls."""
        if not hasattr(model.root_async_client, "with_options"):
            raise InvalidInput("model", model.model_name, "let it build its own async client")

    def name_of(self, model: Any) -> str:
        """As LangChain calls it."""
        return name_of(model)

    def address_of(self, model: Any) -> str:
        """As its client knows it."""
        return str(model.root_async_client.base_url)

    def load(self) -> None:
        """Imports what the client puts off until its parts are looked at."""
        client = self.given.root_async_client
        _ = client.chat.completions, client.responses

    @property
    def is_watched(self) -> bool:
        """Not on a transport of the user's own."""
        return self.given.http_async_client is None

    def connect(self, model: Any) -> Any:
        """On the Responses API a cap of the model's own would win over the call's."""
        pool = connections() if self.is_watched else None
        client = connection_pool.connect(model.root_async_client, pool)
        # What the environment says of OpenAI's is nobody else's.
        if self.is_apart or OPENAI not in self.names:
            client._custom_headers = dict(model.default_headers or {})
            client.organization = client.project = None
        changes: dict[str, Any] = {
            "root_async_client": client,
            "async_client": client.chat.completions,
            "max_tokens": None,
            "model_kwargs": without_caps(model.model_kwargs),
        }
        if model.extra_body:
            changes["extra_body"] = without_caps(model.extra_body)
        connected = model.model_copy(update=changes)
        # On the object and not in its class: the model as its owner made it stays as it is.
        convert = partial(_convert_with_count, connected._convert_chunk_to_generation_chunk)
        object.__setattr__(connected, "_convert_chunk_to_generation_chunk", convert)
        return connected

    def cap_min(self, body: Mapping[str, Any]) -> int:
        """One API has a smallest cap."""
        return RESPONSES_CAP_MIN if is_responses(body) else super().cap_min(body)

    def cap_options(self, request: VendorRequest, cap: int) -> dict[str, Any]:
        """Of all names of the cap, the newest alone reaches the wire by both protocols."""
        newest = self.cap_field(request.bounds) == "max_completion_tokens"
        if newest or is_responses(request.body):
            return {"max_completion_tokens": cap}
        extra = request.connected.extra_body or {}, request.options.get("extra_body", {})
        return {"extra_body": {**extra[0], **extra[1], "max_tokens": cap}}

    def cap_field(self, bounds: CallBounds) -> CapField:
        """What Chat Completions calls the output cap."""
        return bounds.cap_field

    def input_tokens(
        self, body: Mapping[str, Any], messages: Sequence[Any], bounds: CallBounds
    ) -> int:
        """Counted where OpenAI answers, with the reasoning that the Responses API has kept."""
        name = str(body.get("model") or self.name)
        encoding = bounds.encoding or self.encoding(name, self.address)
        recalled = recalled_tokens(messages) if is_responses(body) else 0
        found = sum(fee.tokens_max for fee in uses_sent_again(body, bounds.fees))
        text = input_tokens(body, encoding, bounds.tokens_per_attachment or 0)
        return text + (recalled or 0) + found

    def audio_tokens(self, body: Mapping[str, Any], bounds: CallBounds) -> int:
        """Any attachment that is no picture may be sound."""
        return sounds(body) * (bounds.tokens_per_attachment or 0)

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses what is billed without being sent."""
        body = request.body
        check_sent_whole(body, request, budget)
        if is_responses(body) and recalled_tokens(request.messages) is None:
            what = "reasoning by its id, in a message without usage_metadata"
            remedy = "send messages as the model gave them, or use ChatOpenAI(store=False, "
            remedy += 'include=["reasoning.encrypted_content"])'
            raise InvalidInput("messages", what, remedy)


def name_of(model: Any) -> str:
    """What a model is called. Of Azure's, its deployment alone may have been named."""
    return str(model.model_name or getattr(model, "deployment_name", None) or "")


def connections() -> Any:
    """The pool of connections to OpenAI and those who speak like it."""
    return connection_pool.connections(LIBRARY)


def _convert_with_count(convert: Callable[..., Any], chunk: Any, *given: Any) -> Any:
    """Leaves a count in the server's own words beside a piece, which LangChain throws away."""
    made = convert(chunk, *given)
    if made is not None and (counted := chunk.get("usage")):
        made.message.response_metadata[REPORTED_USAGE] = counted
    return made


def is_responses(body: Mapping[str, Any]) -> bool:
    """Whether it goes by the Responses API."""
    return "input" in body

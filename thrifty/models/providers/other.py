"""Chat models of classes that nobody here has measured, held by what all of them have in common."""

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from thrifty.budget import Budget, InvalidInput
from thrifty.models.costs.input_bound import (
    as_json,
    attachments,
    input_tokens,
    utf8_bytes,
    why_stored,
)
from thrifty.models.costs.use_fees import use_fee
from thrifty.models.providers.caps import CAP_FIELDS, without_caps
from thrifty.models.providers.listed_as import listed_as, provider_of
from thrifty.models.providers.refusals import check_attachments, refuse_unbounded
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest

NAME_FIELDS = ("model_name", "model", "model_id")
READ_ALREADY = ("model", "messages", "tools", "functions", "response_format")
"""Fields of a request whose tokens are counted apart from the rest."""
LONGER_OPTIONS = ("best_of", "candidate_count", "num_return_sequences")
"""What a class may call how many answers are written."""

log = logging.getLogger(__name__)


class OtherModel(Vendor):
    """A chat model of any class that has a field for its output cap.

    What is known of it: its copy with another cap sends that cap. What is not: how it retries, when
    a request leaves, and what its vendor adds.
    """

    package = "langchain-core"
    kind = "BaseChatModel"
    title = "a class that nobody here has measured"
    cut_words: ClassVar = {
        "finish_reason": ("length", "max_tokens", "MAX_TOKENS"),
        "stop_reason": ("length", "max_tokens"),
        "done_reason": ("length",),
    }
    delivery_fields = ("stream", "stream_options", "timeout", "_type")
    is_measured: ClassVar[bool] = False
    """Whether somebody here has measured what its class sends."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.listed_as = listed_as(provider_of(model._get_ls_params(), None))
        if not self.is_measured:
            _warn(type(model).__name__)

    @classmethod
    def takes(cls, model: Any) -> bool:
        """Whether a model has a cap that can be set."""
        return super().takes(model) and bool(_cap_fields(model))

    @classmethod
    def list_request(cls, address: str, key: str) -> tuple[str, Mapping[str, str]] | None:
        """Nobody knows."""
        return None

    def name_of(self, model: Any) -> str:
        """By the field that most classes have, or else as a tracer is told."""
        named = (getattr(model, field, None) for field in NAME_FIELDS)
        told = model._get_ls_params().get("ls_model_name")
        return str(next(filter(None, named), told) or type(model).__name__)

    def address_of(self, model: Any) -> str:
        """Nobody knows. It is not OpenAI's own."""
        return f"{type(model).__module__}.{type(model).__name__}"

    def connect(self, model: Any) -> Any:
        """Its own connections are kept, and so must not be in use on another event loop."""
        uncapped: dict[str, Any] = dict.fromkeys(_cap_fields(model))
        if isinstance(made := getattr(model, "model_kwargs", None), Mapping):
            uncapped["model_kwargs"] = without_caps(made)
        return model.model_copy(update=uncapped)

    @property
    def is_watched(self) -> bool:
        """Nobody sees when it sends."""
        return False

    @property
    def streams(self) -> bool:
        """Whether its class can send an answer in pieces."""
        made, kind = type(self.given), self.kind_of(self.given)
        return any(
            getattr(made, name) is not getattr(kind, name) for name in ("_stream", "_astream")
        )

    def body(
        self,
        connected: Any,
        messages: list[Any],
        stop: list[str] | None,
        options: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What is known of what it will send."""
        made = connected._get_invocation_params(stop=stop, **options)
        sent = [_as_sent(message) for message in messages]
        return {**without_caps(made), **options, "model": self.name, "messages": sent}

    def own_cap(self, model: Any) -> Any:
        """The smallest, where its class has several fields for one."""
        caps = [cap for field in _cap_fields(model) if (cap := getattr(model, field)) is not None]
        return min(caps, default=None)

    def cap_options(self, request: VendorRequest, cap: int) -> dict[str, Any]:
        """Not among the arguments, which many classes leave out."""
        return {}

    def capped_model(self, request: VendorRequest, cap: int) -> Any:
        """A copy that was made with the cap."""
        model = request.connected
        return model.model_copy(update=dict.fromkeys(_cap_fields(model), cap))

    def input_tokens(
        self, body: Mapping[str, Any], messages: Sequence[Any], bounds: CallBounds
    ) -> int:
        """The bytes of messages and tools, and of all that the model was made or is called with."""
        rest = {field: body[field] for field in body if field not in READ_ALREADY}
        return input_tokens(body, "", bounds.tokens_per_attachment or 0) + utf8_bytes(as_json(rest))

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses what is billed without being sent."""
        body = request.body
        refuse_unbounded(why_stored(body) or use_fee(body))
        for field in LONGER_OPTIONS:
            if body.get(field) not in (None, 1):
                raise InvalidInput(field, body[field], "ask once for each answer")
        check_attachments(attachments(body), request)


def _cap_fields(model: Any) -> list[str]:
    """What a model's class calls its output cap."""
    return [field for field in CAP_FIELDS if field in type(model).model_fields]


def _as_sent(message: Any) -> dict[str, Any]:
    """All of a message that a model may read."""
    held = {"role": message.type, "content": message.content, **message.additional_kwargs}
    for field in ("name", "tool_calls", "invalid_tool_calls", "tool_call_id"):
        if value := getattr(message, field, None):
            held[field] = value
    return held


@cache
def _warn(kind: str) -> None:
    """Once for each class."""
    log.warning(
        "thrifty has not measured what %s sends: its input is bounded by bytes, its own retries "
        "cannot be turned off for certain, and a call that fails is charged in full unless its "
        "server refused it",
        kind,
    )

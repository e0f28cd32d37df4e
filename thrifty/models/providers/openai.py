"""OpenAI's models by langchain-openai: the only file that knows a private name of theirs."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeGuard

from thrifty.budget import Budget, InvalidInput
from thrifty.ledger.idempotent_calls import fingerprint
from thrifty.models.background_loop import BackgroundLoop, Emit, background_loop
from thrifty.models.bounded_body import ENCODINGS, bound_body
from thrifty.models.departure import note_departure
from thrifty.models.input_bound import (
    as_json,
    attachments,
    encoding_model,
    input_tokens,
    is_openai_address,
    recalled_tokens,
    sounds,
    why_unbounded,
)
from thrifty.models.providers.protocol import CallBounds
from thrifty.models.redirects import refuse_redirect
from thrifty.models.reported_cost import (
    REPORTED_USAGE,
    note_cost_header,
    watch_cost_header,
    with_cost_header,
)
from thrifty.models.use_fees import FEE_REMEDY, use_fee
from thrifty.settings import base_url_in_environment

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_openai.chat_models.base import BaseChatOpenAI

OPENAI_ADDRESS = "https://api.openai.com/v1"
PARSED_HERE_BYTES_MAX = 64 * 1024
"""A larger answer takes a thread less time than it would take from other calls."""
RESPONSES_CAP_MIN = 16
"""The Responses API refuses lower caps."""
CAP_FIELDS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
"""What OpenAI and those who speak like it call an output cap."""
SERIALIZED_KINDS = ("ChatOpenAI", "OpenAI")
"""How LangChain's callbacks call a client that speaks to OpenAI unless it is told otherwise."""
ENDS = ("finish_reason", "status")
"""Where the last piece of a stream says that it is the last, in either protocol."""
STANDARD_TIER = "default"
"""What is asked for at OpenAI where nobody says: left open, it is what the project has set, which
may be a dearer one."""
DELIVERY_FIELDS = (
    *("stream", "stream_options", "timeout", "extra_headers", "extra_query"),
    *CAP_FIELDS,
)
"""What may differ between two requests that ask the same."""


def is_openai_model(model: Any) -> TypeGuard["BaseChatOpenAI"]:
    """Whether it is a chat model of langchain-openai, or one made from it."""
    from langchain_openai.chat_models.base import BaseChatOpenAI

    return isinstance(model, BaseChatOpenAI)


def serialized_address(serialized: Mapping[str, Any]) -> str | None:
    """Where a client sends its requests, by what LangChain tells callbacks of it.

    Returns:
        The address, empty for OpenAI's own. None for a client of another kind.
    """
    given = serialized.get("kwargs") or {}
    if address := given.get("openai_api_base") or given.get("azure_endpoint"):
        return str(address)
    # OpenAI's own library reads the variable where LangChain names no address.
    kind = ["", *(serialized.get("id") or ())][-1]
    return base_url_in_environment() if kind in SERIALIZED_KINDS else None


class OpenAIModel:
    """A chat model of langchain-openai, for metered calls.

    A transport that the user gave it is kept: it must not be used on another event loop.

    Raises:
        InvalidInput: it is none of langchain-openai's, or has no client for async calls.
    """

    def __init__(self, model: Any) -> None:
        if not is_openai_model(model):
            kind, remedy = type(model).__name__, "use a chat model of langchain-openai"
            raise InvalidInput("model", kind, f"{remedy}, without bindings")
        if not hasattr(model.root_async_client, "with_options"):
            raise InvalidInput("model", model.model_name, "let it build its own async client")
        self.given = model
        self.name = model.model_name
        self.address = str(model.root_async_client.base_url)
        self.output_tokens_max: int | None = (model.profile or {}).get("max_output_tokens")
        # A retry is a call of its own on the bill, so the client makes none.
        once = {"max_retries": 0, "stream_usage": True, "streaming": False}
        self.described = described = model.model_copy(update=once)
        # A fork has a loop of its own, and so makes connections of its own.
        self._connected_on = cache(lambda loop: _connect(described))

    def load(self) -> None:
        """Imports what the client puts off until its parts are looked at."""
        client = self.given.root_async_client
        _ = client.chat.completions, client.responses

    def request(
        self,
        messages: "list[BaseMessage]",
        stop: list[str] | None,
        options: Mapping[str, Any],
        bounds: CallBounds,
    ) -> "OpenAIRequest":
        """One request, as the client would send it; `ProviderModel` says what it raises."""
        connected = self._connected_on(background_loop())
        cap_wanted, kept = _smallest_cap(self.described, options), _without_caps(options)
        body: dict[str, Any] = connected._get_request_payload(messages, stop=stop, **kept)
        # The client merges it into the body as well, where it may overwrite any field.
        body |= body.pop("extra_body", None) or {}
        if not body.get("service_tier") and is_openai_address(self.address):
            body["service_tier"] = kept["service_tier"] = STANDARD_TIER
        if body.get("n") not in (None, 1):
            raise InvalidInput("n", body["n"], "ask once for each answer")
        cap_min = RESPONSES_CAP_MIN if "input" in body else 1
        if cap_wanted is not None and cap_wanted < cap_min:
            remedy = f"use {RESPONSES_CAP_MIN} or more; the Responses API takes no smaller cap"
            raise InvalidInput("max_tokens", cap_wanted, remedy)
        asked = dict(body)
        for field in DELIVERY_FIELDS:
            asked.pop(field, None)
        model, recalled = str(body["model"]), recalled_tokens(messages) if "input" in body else 0
        encoding = encoding_model(model, self.address)
        tokens = input_tokens(body, encoding, bounds.tokens_per_attachment or 0) + (recalled or 0)
        return OpenAIRequest(
            model=model,
            tier=str(body.get("service_tier") or ""),
            cap_wanted=cap_wanted,
            cap_min=cap_min,
            digest=fingerprint(as_json(asked)),
            input_tokens=tokens,
            audio_tokens=sounds(body) * (bounds.tokens_per_attachment or 0),
            body=body,
            recalled=recalled,
            connected=connected,
            messages=messages,
            options={"stop": stop, **kept},
            bounds=bounds,
            is_watched=self.given.http_async_client is None,
        )

    def tool_options(self, tools: Sequence[Any], **options: Any) -> Mapping[str, Any]:
        """The arguments of a call in which these tools are bound, as the model itself does it."""
        bound: Any = self.described.bind_tools(tools, **options)
        kept: Mapping[str, Any] = bound.kwargs
        return kept


@dataclass(slots=True)
class OpenAIRequest:
    """One request in either of OpenAI's protocols, whole but for its output cap."""

    model: str
    tier: str
    cap_wanted: int | None
    cap_min: int
    digest: str
    input_tokens: int
    audio_tokens: int
    body: Mapping[str, Any]
    """What will be sent, as the client merges it, but for the cap."""
    recalled: int | None
    """What the Responses API adds of earlier reasoning; None where nobody knows how much."""
    connected: "BaseChatOpenAI"
    """The model without caps of its own, on connections of this process."""
    messages: "list[BaseMessage]"
    options: Mapping[str, Any]
    """Further arguments of the call, such as tools."""
    bounds: CallBounds
    is_watched: bool

    @property
    def provider(self) -> str:
        """Who is asked: `openai`, also for servers that speak like it."""
        return str(self.connected._get_ls_params().get("ls_provider") or "openai")

    def check_bounded(self, budget: Budget) -> None:
        """Refuses a request whose worst case nobody can know, where it would matter."""
        if budget.max_tokens is None and budget.max_cost_usd is None:
            return
        if why := why_unbounded(self.body):
            raise InvalidInput("request", why, "leave it out, or limit neither tokens nor cost")
        if budget.max_cost_usd is not None and (fee := use_fee(self.body)):
            raise InvalidInput("request", fee, FEE_REMEDY)
        if self.recalled is None:
            what = "reasoning by its id, in a message without usage_metadata"
            remedy = "send messages as the model gave them, or use ChatOpenAI(store=False, "
            remedy += 'include=["reasoning.encrypted_content"])'
            raise InvalidInput("messages", what, remedy)
        if self.bounds.tokens_per_attachment is None and (count := attachments(self.body)):
            remedy = "say what each may take: metered(..., tokens_per_attachment=1_500)"
            raise InvalidInput("messages", f"{count} images or files", remedy)

    async def send(self, cap: int, emit: Emit | None = None) -> Any:
        """Sends it once, with a cap, and hands over the pieces where somebody wants them."""
        options: dict[str, Any] = {**self.options}
        # Of all names of the cap, this one alone reaches the wire by both protocols.
        if "input" in self.body or self.bounds.cap_field == "max_completion_tokens":
            options["max_completion_tokens"] = cap
        else:
            extra = {**(self.connected.extra_body or {}), **options.get("extra_body", {})}
            options["extra_body"] = {**extra, "max_tokens": cap}
        if emit is not None:
            return await self._stream(options, emit)
        with watch_cost_header() as header:
            result = await self.connected._agenerate(self.messages, **options)
        generation = result.generations[0]
        told = result.llm_output or {}
        if counted := with_cost_header(told.get(REPORTED_USAGE), header):
            told = {**told, REPORTED_USAGE: counted}
        generation.message.response_metadata = {
            **told,
            **(generation.generation_info or {}),
            **generation.message.response_metadata,
        }
        return generation

    async def _stream(self, options: Mapping[str, Any], emit: Emit) -> Any:
        whole: Any = None
        counted: Any = None
        async for chunk in self.connected._astream(self.messages, **options):
            counted = chunk.message.response_metadata.pop(REPORTED_USAGE, counted)
            whole = chunk if whole is None else whole + _with_added_usage(chunk, whole)
            # A copy, since LangChain writes into what it is handed, in a thread of its own.
            emit(chunk.model_copy(update={"message": chunk.message.model_copy()}))
        if whole is None:
            raise ValueError("a stream without a piece")
        metadata = {**(whole.generation_info or {}), **whole.message.response_metadata}
        if counted:
            metadata[REPORTED_USAGE] = counted
        whole.message.response_metadata = metadata
        if not any(metadata.get(end) for end in ENDS):
            # It counts a part of the answer, and the server may bill the rest as well.
            whole.message.usage_metadata = None
        return whole


def connections() -> Any:
    """One pool of connections for every model of a process, as all calls run on one loop."""
    return _connections_on(background_loop())


@cache
def _connections_on(loop: BackgroundLoop) -> Any:
    # What packs better is unpacked by nobody in pieces.
    pool = import_module("openai").DefaultAsyncHttpxClient(
        headers={"accept-encoding": ", ".join(ENCODINGS)},
        event_hooks={
            "request": [note_departure],
            "response": [refuse_redirect, bound_body, note_cost_header],
        },
    )
    loop.close_at_exit(pool.aclose)
    return pool


def _connect(model: "BaseChatOpenAI") -> "BaseChatOpenAI":
    """A copy on connections of this process, without caps: on the Responses API a cap of the
    model's own would win over the call's."""
    options: dict[str, Any] = {"max_retries": 0}
    if model.http_async_client is None:  # a transport of the user's stays
        options["http_client"] = connections()
    client = model.root_async_client.with_options(**options)
    client._process_response = partial(_parse_beside, client._process_response)
    changes: dict[str, Any] = {
        "root_async_client": client,
        "async_client": client.chat.completions,
        "max_tokens": None,
        "model_kwargs": _without_caps(model.model_kwargs),
    }
    if model.extra_body:
        changes["extra_body"] = _without_caps(model.extra_body)
    connected = model.model_copy(update=changes)
    # On the object and not in its class: the model as its owner made it stays as it is.
    convert = partial(_convert_with_count, connected._convert_chunk_to_generation_chunk)
    object.__setattr__(connected, "_convert_chunk_to_generation_chunk", convert)
    return connected


def _convert_with_count(convert: Callable[..., Any], chunk: Any, *given: Any) -> Any:
    """Leaves a count in the server's own words beside a piece, which LangChain throws away."""
    made = convert(chunk, *given)
    if made is not None and (counted := chunk.get("usage")):
        made.message.response_metadata[REPORTED_USAGE] = counted
    return made


async def _parse_beside(process: Callable[..., Any], **given: Any) -> Any:
    """Parses a large answer in a thread: the event loop is that of all calls.

    Who asked for it finds it parsed, since the client keeps what it has parsed.
    """
    response = await process(**given)
    parse = getattr(response, "parse", None)
    if parse is None or given["stream"]:
        return response
    if len(response.http_response.content) > PARSED_HERE_BYTES_MAX:
        await asyncio.to_thread(parse)
    return response


def _with_added_usage(chunk: Any, whole: Any) -> Any:
    """A piece whose count is what it adds: some servers say in each what it has come to so far."""
    from langchain_core.messages.ai import subtract_usage

    before, so_far = whole.message.usage_metadata, chunk.message.usage_metadata
    if before and so_far:
        chunk.message.usage_metadata = subtract_usage(so_far, before)
    return chunk


def _smallest_cap(model: "BaseChatOpenAI", options: Mapping[str, Any]) -> int | None:
    """The smallest of the caps that the caller set anywhere; which one would be sent depends."""
    caps = [model.max_tokens]
    extra = (model.extra_body or {}, options.get("extra_body") or {})
    for source in (model.model_kwargs, options, *extra):
        caps += map(source.get, CAP_FIELDS)
    smallest = None
    for cap in caps:
        if cap is None:
            continue
        if not isinstance(cap, int) or isinstance(cap, bool) or cap < 1:
            raise InvalidInput("max_tokens", cap, "use a whole number from 1")
        smallest = cap if smallest is None else min(smallest, cap)
    return smallest


def _without_caps(options: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(options)
    for field in CAP_FIELDS:
        kept.pop(field, None)
    if isinstance(kept.get("extra_body"), Mapping):  # it overwrites what stands in the body
        kept["extra_body"] = _without_caps(kept["extra_body"])
    return kept

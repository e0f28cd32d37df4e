"""Anthropic's models by langchain-anthropic: what they call things, and what they add."""

from collections.abc import Container, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, ClassVar

from thrifty.budget import Budget, InvalidInput
from thrifty.models.costs.hosted_uses import HostedUses
from thrifty.models.costs.input_bound import as_json, template_room, utf8_bytes
from thrifty.models.costs.use_fees import hosted_kind
from thrifty.models.providers.caps import without_caps
from thrifty.models.providers.refusals import check_attachments, refuse_unbounded
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_facts import (
    OUTPUT_TOKENS_KNOWN,
    OUTPUT_TOKENS_UNKNOWN,
    thinks_always,
)
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.wire import connection_pool

LIBRARY = "anthropic"
VERSION = "anthropic-version"
"""The header that says which version of the API is spoken."""
CLIENT = "_async_client"
CLIENTS = ("_client", CLIENT, "_client_params")
"""What LangChain's class makes when it is first asked, and keeps: a copy has to make its own."""
STANDARD_TIERS = (None, "auto", "standard_only")
"""What may be asked for at the standard's price."""
UNREAD_FIELDS = (
    *("model", "max_tokens", "temperature", "top_k", "top_p", "stop_sequences", "thinking"),
    *("betas", "metadata", "service_tier", "inference_geo", "speed", "cache_control", "container"),
    *("stream", "timeout", "extra_headers", "extra_query", "context_management", "mcp_servers"),
)
"""What of a request no model reads. All else is input, whatever is invented."""
FILES = ("image", "document", "search_result", "container_upload")
"""Parts of a message that can be more than their text, also where that is cited from."""
SHAPE = "ls_structured_output_format"
"""By this argument LangChain says that a tool is the shape of an answer."""
THINKS = ("enabled", "adaptive")
THINKS_UNASKED = ("claude-opus-5", "claude-sonnet-5", "claude-fable-5", "claude-mythos-5")
THINKS_ALWAYS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5", "claude-mythos-5")
ADAPTIVE = (*THINKS_UNASKED, "claude-opus-4-7", "claude-opus-4-8")
"""They decide by themselves how much to think."""
TAKES_A_WORD = (*ADAPTIVE, "claude-opus-4-5", "claude-opus-4-6", "claude-sonnet-4-6")
"""They are told by a word how hard to work. Others take a number of tokens to think in."""
THINKING_TOKENS = {"minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384}
"""That number. The API takes none below the first."""
EFFORT_DEFAULT = "low"
EFFORT_UNSAID = "high"
"""How hard they think where nobody says."""
SHORT_SPOKEN = ("claude-2", "claude-3", "claude-instant")
"""Their answers have 4,096 tokens at most, or 8,192."""
USES_FIELD = "max_uses"
"""By which a tool that runs at Anthropic is told how often it may be used."""
REMOTE = ("mcp_servers", "container", "fallbacks")
"""Fields by which more is asked, run or billed than is sent."""


class AnthropicModel(Vendor):
    """A chat model of langchain-anthropic, for metered calls."""

    package = "langchain-anthropic"
    kind = "ChatAnthropic"
    title = "Anthropic"
    names = ("anthropic",)
    extra = "anthropic"
    key_variable = "ANTHROPIC_API_KEY"
    home = "https://api.anthropic.com"
    address_variables = ("ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL")
    listed_as = "anthropic"
    limits_uses = True
    cut_words: ClassVar = {"stop_reason": ("max_tokens", "model_context_window_exceeded")}
    delivery_fields = ("stream", "timeout", "extra_headers", "extra_query")
    why_cap_min = "max_tokens has to be larger than thinking.budget_tokens"

    declines_tools: ClassVar = {"type": "none"}

    @classmethod
    def takes(cls, model: Any) -> bool:
        """Not a model that sends by another client, as that of Bedrock does."""
        kind, made = cls.kind_of(model), type(model)
        return kind is not None and getattr(made, CLIENT) is getattr(kind, CLIENT)

    @classmethod
    def thinking(cls, model: str, effort: str) -> Thinking:
        """By a word for newer models, and by a number of tokens for older ones."""
        if effort == "none" and model.startswith(THINKS_ALWAYS):
            raise thinks_always(model)
        if effort == "auto":
            effort = EFFORT_DEFAULT if model.startswith(THINKS_UNASKED) else "none"
        if effort == "none":
            off = {"thinking": {"type": "disabled"}} if model.startswith(THINKS_UNASKED) else {}
            return Thinking(None, off)
        if not model.startswith(TAKES_A_WORD):
            tokens = THINKING_TOKENS[effort]
            return Thinking(
                effort, {"thinking": {"type": "enabled", "budget_tokens": tokens}}, tokens
            )
        word: dict[str, Any] = {"reasoning_effort": "low" if effort == "minimal" else effort}
        if model.startswith(ADAPTIVE):
            # Named, so that nobody forces a tool on a model that thinks: the API takes no such.
            word["thinking"] = {"type": "adaptive", "display": "summarized"}
        return Thinking(str(word["reasoning_effort"]), word)

    @classmethod
    def thinking_of(cls, model: Any) -> Thinking:
        """As its owner has said, or else as a model does that thinks unasked."""
        said = model.thinking or {}
        tokens = int(said.get("budget_tokens") or 0)
        effort = model.reasoning_effort or (model.output_config or {}).get("effort")
        if effort is None and (tokens or said.get("type") == "adaptive"):
            effort = EFFORT_UNSAID
        if effort is None and not said and model.model.startswith(THINKS_UNASKED):
            effort = EFFORT_UNSAID
        return Thinking(effort, tokens=tokens)

    @classmethod
    def output_tokens_most(cls, model: str, address: str) -> int:
        """All of today's can write long answers."""
        return OUTPUT_TOKENS_UNKNOWN if model.startswith(SHORT_SPOKEN) else OUTPUT_TOKENS_KNOWN

    @classmethod
    def list_request(cls, address: str, key: str) -> tuple[str, Mapping[str, str]]:
        """With the headers of its client, which has changed how it sends a key."""
        client = import_module(LIBRARY).AsyncAnthropic(api_key=key)
        headers = {**client.auth_headers, VERSION: client.default_headers[VERSION]}
        return f"{address.removesuffix('/')}/v1/models?limit=1000", headers

    def name_of(self, model: Any) -> str:
        """As LangChain calls it."""
        return str(model.model)

    def address_of(self, model: Any) -> str:
        """As its client is told."""
        return str(model.anthropic_api_url)

    def connect(self, model: Any) -> Any:
        """Its client is made anew: of one that was used, LangChain keeps the retries."""
        uncapped = {"max_tokens": None, "model_kwargs": without_caps(model.model_kwargs)}
        connected = model.model_copy(update=uncapped)
        for name in CLIENTS:
            connected.__dict__.pop(name, None)
        client = import_module(LIBRARY).AsyncAnthropic(
            **connected._client_params,
            http_client=connection_pool.connections(LIBRARY, proxy=model.anthropic_proxy or ""),
        )
        if self.is_apart:  # what the environment says of Anthropic's is nobody else's
            client._custom_headers = connected._client_params["default_headers"]
        client._process_response = partial(connection_pool.parse_beside, client._process_response)
        connected.__dict__[CLIENT] = client
        return connected

    def cap_min(self, body: Mapping[str, Any]) -> int:
        """Thought is written under the cap, and the API wants room for an answer as well."""
        thinking = body.get("thinking") or {}
        return int(thinking.get("budget_tokens") or 0) + 1

    def tier(self, body: Mapping[str, Any]) -> str:
        """Whatever makes a request dearer: a tier, a speed, or where it is computed."""
        tier = body.get("service_tier")
        asked = [] if tier in STANDARD_TIERS else [tier]
        asked += [body[field] for field in ("speed", "inference_geo") if body.get(field)]
        return " ".join(str(word) for word in asked if word not in ("standard", "global"))

    def input_tokens(
        self, body: Mapping[str, Any], messages: Sequence[Any], bounds: CallBounds
    ) -> int:
        """No tokenizer is public: the bytes of all that is read, with the names of its fields.

        Thought that is sent back is billed whole, and is in its signature.
        """
        read = {field: body[field] for field in body if field not in UNREAD_FIELDS}
        files = list(_files(body))
        encoded = sum(map(_encoded_bytes, files))
        has_schemas = bool(body.get("tools") or (body.get("output_config") or {}).get("format"))
        room = template_room(has_schemas)
        text = utf8_bytes(as_json(read)) - encoded
        return text + room + len(files) * (bounds.tokens_per_attachment or 0)

    def hosted_uses(
        self, body: dict[str, Any], options: dict[str, Any], bounds: CallBounds
    ) -> HostedUses:
        """Each tool is told how often it may be used, and each use is counted."""
        uses = HostedUses.of(body, bounds.fees, are_told=True)
        if uses.most and not options.get("tools"):
            raise InvalidInput("tools", "in the model", "bind them to it: model.bind_tools([…])")
        for holder in (body, options) if uses.most else ():
            holder["tools"] = [_with_uses_max(tool, uses) for tool in holder["tools"]]
        return uses

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses what is billed without being sent."""
        refuse_unbounded(_why_unbounded(request.body, request.uses.fees))
        check_attachments(sum(1 for _ in _files(request.body)), request)

    def tool_options(self, tools: Sequence[Any], **options: Any) -> Mapping[str, Any]:
        """An answer's shape is asked for, and not forced, of a model that cannot be forced to it.

        While it thinks, none can.
        """
        thinking = (self.described.thinking or {}).get("type")
        can_be_forced = (self.described.profile or {}).get("tool_choice", True)
        if SHAPE in options and (thinking in THINKS or not can_be_forced):
            options["tool_choice"] = None
        return super().tool_options(tools, **options)

    def complete_usage(self, message: Any, body: Mapping[str, Any]) -> None:
        """A stream does not say for how long it has written a cache: as long as was asked."""
        details = ((message.usage_metadata or {}).get("input_token_details")) or {}
        if details.get("cache_creation") and '"ttl":"1h"' in as_json(body):
            details["ephemeral_1h_input_tokens"] = details["cache_creation"]
            details["cache_creation"] = 0


def _with_uses_max(tool: Any, uses: HostedUses) -> Any:
    """A tool with the most uses that were declared for it, or fewer."""
    if (fee := uses.fees.get(hosted_kind(tool))) is None:
        return tool
    return {**tool, USES_FIELD: min(tool.get(USES_FIELD) or fee.uses_max, fee.uses_max)}


def _why_unbounded(body: Mapping[str, Any], declared: Container[str]) -> str:
    for field in REMOTE:
        if body.get(field):
            return f"{field}: it is billed beyond the request"
    for tool in body.get("tools") or ():
        if tool.get("type", "custom") != "custom" and hosted_kind(tool) not in declared:
            return f"tools: {tool['type']!r} runs at the provider, or adds what nobody counted"
    edits = (body.get("context_management") or {}).get("edits") or ()
    if any("compact" in str(edit.get("type")) for edit in edits):
        return "context_management: a summary is an answer that no cap holds"
    return ""


def _files(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The images and files in messages, and in what tools returned."""
    for message in body.get("messages") or ():
        for part in _parts(message):
            for inner in _parts(part) if part.get("type") == "tool_result" else (part,):
                if _is_file(inner):
                    yield inner


def _parts(holder: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = holder.get("content")
    parts = content if isinstance(content, list) else []
    return [part for part in parts if isinstance(part, Mapping)]


def _is_file(part: Mapping[str, Any]) -> bool:
    """Whether a part is more than its text: cited from, it is cut into pieces with names."""
    is_text = _source(part).get("type") == "text" and not part.get("citations")
    return part.get("type") in FILES and not is_text


def _encoded_bytes(file: Mapping[str, Any]) -> int:
    """How much of a file is no text."""
    source = _source(file)
    return len(source.get("data") or "") if source.get("type") == "base64" else 0


def _source(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where a file comes from: of what a search found, it is a mere name."""
    source = part.get("source")
    return source if isinstance(source, Mapping) else {}

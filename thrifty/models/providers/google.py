"""Google's models by langchain-google-genai: what they call things, and what they add.

Gemini's own API and Vertex are asked by the same client.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from thrifty.budget import Budget, InvalidInput
from thrifty.models.costs.input_bound import as_json, template_room, utf8_bytes
from thrifty.models.providers.google_client import body_of, last_count, on_own_client
from thrifty.models.providers.refusals import check_attachments, refuse_unbounded
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_facts import OUTPUT_TOKENS_KNOWN, OUTPUT_TOKENS_UNKNOWN
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest

if TYPE_CHECKING:
    from thrifty.models.roles.model_role import ModelRole

PREFIX = "models/"
"""With which a name may begin: the same model is asked without."""
THINKS = re.compile(r"gemini-(2\.5|[3-9](?:\.\d+)?)-|gemini-(?:pro|flash)(?:-lite)?-latest")
"""The names of models that think, whether asked to or not."""
OLDER = "2.5"
THINKS_ASKED = "gemini-2.5-flash-lite"
"""It thinks where it is asked to alone."""
THINKING_TOKENS = {"none": 0, "minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576}
"""How much these may think. Google's own endpoint for OpenAI's protocol reads efforts so."""
EFFORT_DEFAULT = "low"
EFFORT_UNSAID = "high"
"""How hard they think where nobody says."""
STANDARD_TIERS = ("", "unspecified", "standard")
UNREAD_FIELDS = ("model", "n", "labels", "safetySettings", "serviceTier", "store")
"""What of a request no model reads. All else is input, whatever is invented."""
UNREAD_SETTINGS = (
    *("candidateCount", "frequencyPenalty", "logprobs", "mediaResolution", "presencePenalty"),
    *("responseLogprobs", "responseMimeType", "responseModalities", "seed", "stopSequences"),
    *("temperature", "thinkingConfig", "topK", "topP"),
)
"""The same within `generationConfig`."""
SHAPES = ("responseSchema", "responseJsonSchema")
FUNCTIONS = "functionDeclarations"
STORED = ("cachedContent", "continuationToken")
"""Fields that add input which stands at Google."""
ROUTED = ("routingConfig", "modelSelectionConfig")
"""Settings by which Vertex chooses a model."""
TEXT = "TEXT"
SPOKEN_OR_DRAWN = ("-tts", "-image", "nano-banana", "-live", "-audio")
"""What stands in the names of models that answer with sound or pictures."""
SILENT = ("image/", "text/", "application/")
"""How the types of files begin that have the price of text. Anything more may be sound."""
FETCHED = ("http://", "https://")


class GoogleModel(Vendor):
    """A chat model of langchain-google-genai, for metered calls."""

    package = "langchain-google-genai"
    kind = "ChatGoogleGenerativeAI"
    title = "Google"
    names = ("google_genai", "google", "gemini")
    extra = "google"
    key_variable = "GOOGLE_API_KEY"
    home = "https://generativelanguage.googleapis.com"
    address_variables = ("GOOGLE_GEMINI_BASE_URL",)
    listed_as = "google"
    cut_words: ClassVar = {"finish_reason": ("MAX_TOKENS", "CONTINUATION")}
    delivery_fields = ("store", "labels")
    counts_by_piece = True

    def check(self, model: Any) -> None:
        """LangChain's class and its client have to agree on whose API it is."""
        if bool(model.client._api_client.vertexai) != bool(model._use_vertexai):
            remedy = "unset GOOGLE_GENAI_USE_VERTEXAI, or make the model with vertexai=True"
            raise InvalidInput("model", model.model, remedy)

    @classmethod
    def make(cls, role: ModelRole) -> Any:
        """At Gemini's own API."""
        options = {**role.thinking.options, "vertexai": False}
        return super().make(replace(role, thinking=replace(role.thinking, options=options)))

    @classmethod
    def thinking(cls, model: str, effort: str) -> Thinking:
        """By a word from Gemini 3 on, and by a number of tokens for Gemini 2.5."""
        if not (thinks := THINKS.search(model)):
            return super().thinking(model, effort)
        is_pro, is_older = "-pro" in model, thinks[1] == OLDER
        if effort == "none" and (is_pro or not is_older):
            word = "low" if is_pro else "minimal"
            raise InvalidInput("effort", effort, f"use {word}: {model} cannot be told not to think")
        if effort == "auto":
            effort = "none" if model.startswith(THINKS_ASKED) else EFFORT_DEFAULT
        if is_older:
            tokens = THINKING_TOKENS[effort]
            return Thinking(effort, {"thinking_budget": tokens}, tokens)
        word = "low" if is_pro and effort == "minimal" else effort
        return Thinking(word, {"reasoning_effort": word})

    @classmethod
    def thinking_of(cls, model: Any) -> Thinking:
        """As its owner has said, or else as a model does that thinks unasked."""
        said = {"thinking_budget": model.thinking_budget, **(model.thinking_config or {})}
        tokens, effort = said["thinking_budget"], model.reasoning_effort
        effort = effort or said.get("thinking_level")
        is_asked = bool(tokens) or not model.model.removeprefix(PREFIX).startswith(THINKS_ASKED)
        if effort or tokens == 0 or not (is_asked and THINKS.search(model.model)):
            return Thinking(effort)
        return Thinking(EFFORT_UNSAID, tokens=max(0, tokens or 0))

    @classmethod
    def output_tokens_most(cls, model: str, address: str) -> int:
        """All that think can write long answers."""
        return OUTPUT_TOKENS_KNOWN if THINKS.search(model) else OUTPUT_TOKENS_UNKNOWN

    @classmethod
    def list_request(cls, address: str, key: str) -> tuple[str, Mapping[str, str]]:
        """With the header in which its client sends a key."""
        return f"{address.rstrip('/')}/v1beta/models?pageSize=1000", {"x-goog-api-key": key}

    def name_of(self, model: Any) -> str:
        """As the price list calls it."""
        return str(model.model).removeprefix(PREFIX)

    def address_of(self, model: Any) -> str:
        """As its client knows it."""
        return str(model.client._api_client._http_options.base_url)

    def own_cap(self, model: Any) -> Any:
        """By its name here."""
        return model.max_output_tokens

    @property
    def is_watched(self) -> bool:
        """Not on a transport of the user's own."""
        return not (self.given.client_args or {}).get("transport")

    def connect(self, model: Any) -> Any:
        """On a copy of its client, which is left as it is."""
        return on_own_client(model.model_copy(update={"max_output_tokens": None}))

    def body(
        self,
        connected: Any,
        messages: list[Any],
        stop: list[str] | None,
        options: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What the client would send, by its own code, which is stopped before it does."""
        if options.get("http_options"):
            raise InvalidInput("http_options", "of a call", "give them to the model itself")
        _check_nothing_fetched(messages)
        given = {**options, "cached_content": options.get("cached_content")}
        given["cached_content"] = given["cached_content"] or connected.cached_content
        asked = connected._prepare_request(messages, stop=stop, **given)
        body = body_of(connected, asked)
        settings = body.get("generationConfig") or {}
        if (cap := settings.get("maxOutputTokens")) is not None:
            raise InvalidInput("max_output_tokens", cap, "give it to the call by this name")
        return {**body, "model": self.name, "n": settings.get("candidateCount")}

    def cap_options(self, request: VendorRequest, cap: int) -> dict[str, Any]:
        """The one name that reaches the wire."""
        return {"max_output_tokens": cap}

    def tier(self, body: Mapping[str, Any]) -> str:
        """The service tier."""
        tier = (body.get("serviceTier") or "").lower()
        return "" if tier in STANDARD_TIERS else tier

    def input_tokens(
        self, body: Mapping[str, Any], messages: Sequence[Any], bounds: CallBounds
    ) -> int:
        """No tokenizer comes along: the bytes of all that is read, with the names of its fields.

        Thought that is sent back is in its signature.
        """
        settings = body.get("generationConfig") or {}
        read = {field: body[field] for field in body if field not in UNREAD_FIELDS}
        read["generationConfig"] = {
            field: settings[field] for field in settings if field not in UNREAD_SETTINGS
        }
        files = list(_parts(body, "inlineData"))
        encoded = sum(len(file.get("data") or "") for file in files)
        has_schemas = bool(body.get("tools") or any(map(settings.get, SHAPES)))
        room = template_room(has_schemas)
        text = utf8_bytes(as_json(read)) - encoded
        return text + room + len(files) * (bounds.tokens_per_attachment or 0)

    def audio_tokens(self, body: Mapping[str, Any], bounds: CallBounds) -> int:
        """Any file that is neither a picture nor a document may be sound."""
        kinds = [_field(file, "mimeType") or "" for file in _parts(body, "inlineData")]
        sounds = sum(not str(kind).startswith(SILENT) for kind in kinds)
        return sounds * (bounds.tokens_per_attachment or 0)

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses what is billed without being sent."""
        refuse_unbounded(_why_unbounded(request.body))
        check_attachments(sum(1 for _ in _parts(request.body, "inlineData")), request)

    def complete_usage(self, message: Any, body: Mapping[str, Any]) -> None:
        """By the count as it came.

        A question that a filter has blocked was read, and is billed as that.
        """
        counted, feedback = last_count(), message.response_metadata.get("prompt_feedback") or {}
        is_blocked = bool(feedback.get("block_reason"))
        if counted is not None and (message.usage_metadata or is_blocked):
            message.usage_metadata = _usage(counted)


def _usage(counted: Any) -> dict[str, Any]:
    """A count as LangChain has it, with the kinds of tokens that it leaves out."""
    thought = counted.thoughts_token_count or 0
    tokens_in = (counted.prompt_token_count or 0) + (counted.tool_use_prompt_token_count or 0)
    kinds_in = _kinds(counted.prompt_tokens_details)
    kinds_out = _kinds(counted.candidates_tokens_details)
    cached = counted.cached_content_token_count or 0
    return {
        "input_tokens": tokens_in,
        "output_tokens": (counted.candidates_token_count or 0) + thought,
        "total_tokens": counted.total_token_count or 0,
        "input_token_details": {"cache_read": cached, "audio": kinds_in.get("AUDIO", 0)},
        "output_token_details": {
            "reasoning": thought,
            **{kind.lower(): kinds_out[kind] for kind in kinds_out if kind != TEXT},
        },
    }


def _kinds(details: Any) -> dict[str, int]:
    """How many tokens were text, pictures, sound and so on."""
    return {each.modality.name: each.token_count or 0 for each in details or () if each.modality}


def _why_unbounded(body: Mapping[str, Any]) -> str:
    for field in STORED:
        if body.get(field):
            return f"{field}: Google adds what it has stored"
    for tool in body.get("tools") or ():
        for kind in tool:
            if kind != FUNCTIONS:
                return f"tools: {kind!r} runs at Google, or adds what nobody counted"
    for part in ("fileData", "toolCall", "toolResponse"):
        if any(_parts(body, part)):
            return f"{part}: Google reads what nobody here has seen"
    settings = body.get("generationConfig") or {}
    for field in ROUTED:
        if settings.get(field):
            return f"{field}: nobody here knows which model answers"
    kinds = settings.get("responseModalities")
    speaks = not kinds and any(word in str(body["model"]) for word in SPOKEN_OR_DRAWN)
    if speaks or any(kind != TEXT for kind in kinds or ()):
        return "responseModalities: sound and pictures have prices of their own"
    return ""


def _parts(value: Any, kind: str) -> Iterator[Mapping[str, Any]]:
    """All parts of a kind, in messages and in what tools returned."""
    if isinstance(value, Mapping):
        if isinstance(found := _field(value, kind), Mapping):
            yield found
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from _parts(inner, kind)


def _field(holder: Mapping[str, Any], name: str) -> Any:
    """A field by either of the names that Google's JSON has for it; None without."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return holder.get(name, holder.get(snake))


def _check_nothing_fetched(messages: Sequence[Any]) -> None:
    """Refuses pictures by their address.

    LangChain would fetch each of them twice, on the loop that all calls share.
    """
    for message in messages:
        for part in message.content if isinstance(message.content, list) else ():
            given = part.get("image_url", part.get("url")) if isinstance(part, Mapping) else ""
            address = given.get("url") if isinstance(given, Mapping) else given
            if str(address or "").startswith(FETCHED):
                remedy = "send its bytes: a part with base64= and mime_type="
                raise InvalidInput("messages", "a file by its address", remedy)

"""How many tokens a text can be, and how many input tokens a request can be billed, at most.

A request is read off the very body that is sent, in both of OpenAI's protocols: messages, calls of
tools and what they returned, schemas of tools and of answers. What has no bound in its text, such
as an image, is named and not guessed.
"""

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, get_args
from unicodedata import is_normalized, normalize
from urllib.parse import urlsplit

from thrifty.models.costs.usage import read_usage
from thrifty.models.costs.use_fees import SEARCH, SEARCH_OPTIONS, hosted_kind
from thrifty.models.wire.openai_protocol import Encoding

ENCODINGS = get_args(Encoding)
O200K_MODELS = (
    *("o200k_base", "gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5"),
    *("o1", "o3", "o4", "chatgpt-4o"),
)
CL100K_MODELS = (
    *("cl100k_base", "gpt-4", "gpt-3.5"),
    *("text-embedding-3", "text-embedding-ada-002"),
)
"""How the names of models begin that have an encoding. An encoding has its own name, too."""
OPENAI_HOSTS = (".openai.com",)
GOOGLE_HOSTS = (".googleapis.com",)
AMAZON_HOSTS = (".amazonaws.com",)
AZURE_HOSTS = (".azure.com", ".azure.us", ".azure.cn")
"""How the addresses of OpenAI and Azure end. Anywhere else a model may be called what it is not."""
MESSAGE_OVERHEAD_TOKENS = 16
"""Room for what a chat format adds around a message; observed: 3 to 8 tokens."""
ENVELOPE_TOKENS = 48
"""Room for the names of the fields around messages, where all of a request's JSON is counted."""
TEMPLATE_TOKENS = 64
"""Room for what the chat template of an unknown server adds to each request by itself: who the
model is, what day it is. Observed: 20 to 60 tokens."""
TOOLS_TOKENS = 600
"""Room for what it tells a model about tools. Anthropic documents up to 530, and chat templates
take 70 to 200."""

TEXT_PARTS = (
    *("text", "input_text", "output_text"),
    *("summary_text", "reasoning_text", "refusal"),
)
SILENT_PARTS = ("image", "image_url", "input_image", "file", "input_file")
"""What else may be in a message that has the price of text. Anything more may be sound."""
ITEMS = ("message", "function_call", "function_call_output", "reasoning")
"""What the input of the Responses API consists of; anything else stands for more than it says."""
NOT_READ = ("type", "id", "status", "role", "index", "detail", "annotations", "logprobs")
"""Fields of a message whose words are not the model's to read, or are in its overhead."""
STORED = ("previous_response_id", "conversation", "prompt")
"""Fields that add input which stands on the provider's side."""
REMOTE = (SEARCH_OPTIONS, "prediction", "background")
"""Fields that are billed beyond what is sent and capped."""


def tokens_bound(text: str, model: str) -> int:
    """The most tokens that a text can be for a model.

    The count is exact where the encoding of the model is known, by an encoder that is offline.
    Elsewhere UTF-8 bytes bound it: byte-level byte-pair encodings never split below a byte. At an
    address that is not OpenAI's or Azure's no encoding is known: see `encoding_model`.
    """
    if (encoder := encoder_of(model)) is None:
        return utf8_bytes(text)
    # A lone surrogate has no UTF-8 form: what is sent in its place is what must be counted.
    count: int = encoder.count(text.encode(errors="replace").decode())
    return count


def encoding_model(model: str, address: str) -> str:
    """The name by which a model's encoding is known, for `tokens_bound`.

    Args:
        model: what its server calls it.
        address: where it is asked. Empty for OpenAI's own address.

    Returns:
        The name, or nothing where it proves nothing: then bytes bound a text.
    """
    return model if not address or _is_at(address, (*OPENAI_HOSTS, *AZURE_HOSTS)) else ""


def is_openai_address(address: str) -> bool:
    """Whether an address is OpenAI's own. The empty one is."""
    return not address or _is_at(address, OPENAI_HOSTS)


def has_standard_tier(address: str) -> bool:
    """Whether what names no service tier has the standard one at an address.

    To OpenAI that is sent by name, and at Google and Amazon no name means it.
    """
    return is_openai_address(address) or _is_at(address, (*GOOGLE_HOSTS, *AMAZON_HOSTS))


def _is_at(address: str, hosts: tuple[str, ...]) -> bool:
    return f".{urlsplit(address).hostname}".endswith(hosts)


def is_exact(model: str) -> bool:
    """Whether a model's encoding is known, so that counts are no mere bounds."""
    return encoder_of(model) is not None


@cache
def encoder_of(model: str) -> Any:
    """What encodes texts as a model does; None where nobody knows."""
    from rs_bpe.bpe import openai  # 50 ms to load: only when a model is really asked

    # Not in one table: "gpt-4o" begins as "gpt-4" does, and must be asked for first.
    if model.startswith(O200K_MODELS):
        return openai.o200k_base()
    return openai.cl100k_base() if model.startswith(CL100K_MODELS) else None


def utf8_bytes(text: str) -> int:
    """The length of a text in UTF-8 bytes; a lone surrogate counts as the three it would take.

    Some tokenizers take letters apart before they count, as NFKC does: one of three bytes, U+FDFA,
    becomes eighteen letters. So the longer of both forms counts.
    """
    if text.isascii():
        return len(text)
    plain = len(text.encode("utf-8", "surrogatepass"))
    if is_normalized("NFKC", text):
        return plain
    return max(plain, len(normalize("NFKC", text).encode("utf-8", "surrogatepass")))


def input_tokens(body: Mapping[str, Any], model: str, tokens_per_attachment: int = 0) -> int:
    """The most input tokens that a request can be billed.

    Args:
        body: the request, as it is sent.
        model: whose encoding counts. Empty, or the name of an encoding, at a server that nobody
            here knows, whose chat template may add instructions of its own.
        tokens_per_attachment: the most that each image or file can be.
    """
    room = 0 if model and model not in ENCODINGS else _room_of(body)
    return body_tokens(body, model, tokens_per_attachment) + room


def body_tokens(body: Mapping[str, Any], model: str, tokens_per_attachment: int = 0) -> int:
    """The same without what a server adds to the request by itself."""
    messages, schemas = messages_of(body), schemas_of(body)
    texts, calls = list(schemas), 0
    for message in messages:
        _add_texts(message, texts)
        calls += len(message.get("tool_calls") or ())
    tokens = MESSAGE_OVERHEAD_TOKENS * max(1, len(messages) + calls + len(schemas))
    for text in texts:
        tokens += tokens_bound(text, model)
    if tokens_per_attachment:
        tokens += tokens_per_attachment * attachments(body)
    return tokens


def json_input_tokens(body: Mapping[str, Any], tokens_per_attachment: int = 0) -> int:
    """The most input tokens that a request can be billed by a vendor whose protocol is another.

    All of its JSON is counted, in bytes. The same in the words of another protocol, with the name
    of the tool that is to be called, is no longer than that and the overheads.

    Args:
        body: the request, in either of OpenAI's protocols.
        tokens_per_attachment: the most that each image or file can be.
    """
    return json_body_tokens(body, tokens_per_attachment) + _room_of(body)


def json_body_tokens(body: Mapping[str, Any], tokens_per_attachment: int = 0) -> int:
    """The same without what a server adds to the request by itself."""
    messages, schemas = messages_of(body), schemas_of(body)
    texts = [*map(as_json, map(_without_files, messages)), *schemas]
    calls = sum(len(message.get("tool_calls") or ()) for message in messages)
    around = len(messages) + calls + 4 * len(schemas)
    overhead = ENVELOPE_TOKENS + MESSAGE_OVERHEAD_TOKENS * around
    return overhead + sum(map(utf8_bytes, texts)) + tokens_per_attachment * attachments(body)


def _without_files(message: Mapping[str, Any]) -> Mapping[str, Any]:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    return {**message, "content": [each for each in content if not _is_attached(each)]}


def _is_attached(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") not in TEXT_PARTS


def _room_of(body: Mapping[str, Any]) -> int:
    return template_room(bool(body.get("tools") or body.get("functions")))


def template_room(has_tools: bool) -> int:
    """Room for what a server adds to a request by itself, also about tools where it has some."""
    return TEMPLATE_TOKENS + (TOOLS_TOKENS if has_tools else 0)


def attachments(body: Mapping[str, Any]) -> int:
    """How many images, sounds and files are in a request, and in what tools returned."""
    return sum(kind not in TEXT_PARTS for kind in _part_kinds(body))


def sounds(body: Mapping[str, Any]) -> int:
    """How many of them may be sounds."""
    return sum(kind not in (*TEXT_PARTS, *SILENT_PARTS) for kind in _part_kinds(body))


def _part_kinds(body: Mapping[str, Any]) -> Iterator[Any]:
    for message in messages_of(body):
        for content in (message.get("content"), message.get("output")):
            for part in content if isinstance(content, list) else ():
                if isinstance(part, Mapping):
                    yield part.get("type")


def recalled_tokens(messages: Iterable[Any]) -> int | None:
    """The most reasoning that the provider has kept and adds to what is sent, by its id alone.

    Args:
        messages: LangChain's, before they become a request.

    Returns:
        As much as the messages with such reasoning took to write; None where one does not say.
    """
    recalled = 0
    for message in messages:
        # langchain-openai keeps reasoning among the parts or, in an older form, apart from them.
        parts = message.content if isinstance(message.content, list) else ()
        apart = message.additional_kwargs.get("reasoning")
        for part in (*parts, apart):
            is_apart = part is apart
            if not isinstance(part, dict) or not (is_apart or part.get("type") == "reasoning"):
                continue
            if not part.get("encrypted_content"):
                if (usage := read_usage(message)) is None:
                    return None
                recalled += usage.output_tokens
                break  # however many thoughts it has: all were counted with it
    return recalled


def why_unbounded(body: Mapping[str, Any], declared: Container[str] = ()) -> str:
    """What in a request is billed without being sent; empty when nothing is.

    Args:
        body: the request.
        declared: kinds of tools at the provider of which it is known what they add at most.
    """
    if why := why_stored(body, declared):
        return why
    if "audio" in (body.get("modalities") or ()):
        return "modalities: sound has a price of its own"
    for tool in body.get("tools") or ():
        if tool.get("type") not in ("function", "custom") and hosted_kind(tool) not in declared:
            return f"tools: {tool.get('type')!r} runs, and is billed, at the provider"
    for item in messages_of(body):
        kind = item.get("type", "message")
        is_known = "role" in item or kind in ITEMS or kind.removesuffix("_call") in declared
        if not is_known:
            return f"input: an item of type {kind!r}"
    return ""


def why_stored(body: Mapping[str, Any], declared: Container[str] = ()) -> str:
    """Which field of a request adds to it what nobody sends; empty when none does."""
    for field in (*STORED, *REMOTE):
        if body.get(field) and not (field == SEARCH_OPTIONS and SEARCH in declared):
            stored = "the provider adds what it has stored"
            return f"{field}: {stored if field in STORED else 'it is billed beyond the request'}"
    return ""


def messages_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The messages of a request in either protocol, instructions included."""
    content = body.get("messages", body.get("input")) or []
    messages = [{"content": content}] if isinstance(content, str) else list(content)
    if body.get("instructions"):
        messages.append({"content": body["instructions"]})
    return messages


def schemas_of(body: Mapping[str, Any]) -> list[str]:
    """Tools and the shape of the answer, as compact JSON."""
    text = body.get("text") or {}
    answer = body.get("response_format") or body.get("text_format") or text.get("format")
    wanted = [*(body.get("tools") or ()), *(body.get("functions") or ())]
    return list(map(as_json, (*wanted, *([answer] if answer else ()))))


def as_json(value: Any) -> str:
    """Compact JSON, in which a class that describes an answer stands as its schema."""
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=_plain
    )


def _plain(value: Any) -> Any:
    if isinstance(value, type):
        return value.model_json_schema() if hasattr(value, "model_json_schema") else repr(value)
    return value.model_dump() if hasattr(value, "model_dump") else repr(value)


def _add_texts(value: Any, texts: list[str]) -> None:
    """Adds every text in a message that a model may read, but for attachments."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, list | tuple):
        for part in value:
            if not (isinstance(part, Mapping) and "type" in part and _is_file(part)):
                _add_texts(part, texts)
    elif isinstance(value, Mapping):
        for field, inner in value.items():
            if field not in NOT_READ:
                _add_texts(inner, texts)
    elif value is not None:  # numbers and truth values are sent as text, and read
        texts.append(json.dumps(value, default=repr))


def _is_file(part: Mapping[str, Any]) -> bool:
    """Whether it is an attachment, and no call of a tool, which has a type as well."""
    is_text = part.get("type") in TEXT_PARTS
    return not is_text and "function" not in part and "arguments" not in part

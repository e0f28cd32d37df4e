"""OpenAI's Chat Completions: what a request may say, and what it asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.harness.llm_server import checks, errors
from tests.harness.llm_server.question import JSON, Message, Question, Tool
from tests.harness.llm_server.usage import compact, input_tokens

PARAMETERS = (
    "audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens "
    "max_tokens messages metadata modalities model moderation n parallel_tool_calls prediction "
    "presence_penalty prompt_cache_key prompt_cache_options prompt_cache_retention "
    "reasoning_effort response_format safety_identifier seed service_tier stop store stream "
    "stream_options temperature tool_choice tools top_logprobs top_p user verbosity "
    "web_search_options"
)
CAPS = ("max_tokens", "max_completion_tokens")
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


@dataclass(frozen=True)
class Grammar:
    """What a vendor's request may say."""

    parameters: str = PARAMETERS
    """All that there are. Empty: what nobody knows is passed over."""
    caps: tuple[str, ...] = CAPS
    """What the output cap is called, of which one may be named."""
    counts_streams: bool = False
    """Whether a stream says what it used, also where nobody asks for that."""


def read(body: JSON, grammar: Grammar) -> Question:
    """The question in a request's body.

    Raises:
        Refused: the request is not valid.
    """
    if grammar.parameters:
        checks.known(body, grammar.parameters.split())
    model = checks.text(body, "model")
    if "messages" not in body:
        raise errors.missing("messages")
    messages = checks.not_empty(_messages(checks.items(body, "messages")), "messages")
    tools = tuple(_tools(checks.items(body, "tools")))
    stream = checks.flag(body, "stream")
    schema, json_wanted = _answer_format(checks.section(body, "response_format"))
    if body.get("n") not in (None, 1):
        raise errors.unsupported("n", "This server gives one choice: 'n' must be 1.")
    return Question(
        model=model,
        messages=messages,
        stream=stream,
        usage_wanted=grammar.counts_streams or _usage_wanted(body, stream),
        output_cap=_cap(body, grammar.caps),
        input_tokens=input_tokens(messages, tools, schema),
        tools=tools,
        searches_max=int("search" in model or bool(body.get("web_search_options"))),
        must_call=_must_call(body.get("tool_choice"), tools),
        json_wanted=json_wanted,
        answer_schema=schema,
    )


def _messages(entries: list[Any]) -> Iterator[Message]:
    for index, entry in enumerate(entries):
        where = f"messages[{index}]"
        if not isinstance(entry, dict):
            raise errors.wrong_type(where, "an object", entry)
        if entry.get("role") not in ROLES:
            raise errors.Refused(
                f"Invalid value: '{entry.get('role')}'. Supported values are: {sorted(ROLES)}.",
                param=f"{where}.role",
                code="invalid_value",
            )
        if entry.get("content") is None and not entry.get("tool_calls"):
            raise errors.missing(f"{where}.content")
        yield Message(entry["role"], "\n".join(_texts(entry, where)))


def _texts(entry: JSON, where: str) -> Iterator[str]:
    content = entry.get("content")
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            text = part.get("text") if isinstance(part, dict) else None
            yield text if isinstance(text, str) else compact(part)
    elif content is not None:
        raise errors.wrong_type(f"{where}.content", "a string or an array", content)
    for call in checks.items(entry, "tool_calls"):
        function = call.get("function", {}) if isinstance(call, dict) else {}
        yield f"{function.get('name', '')}{function.get('arguments', '')}"


def _tools(entries: list[Any]) -> Iterator[Tool]:
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or entry.get("type") != "function":
            raise errors.unsupported(f"tools[{index}]", "This server knows tools of type function.")
        yield checks.tool(checks.section(entry, "function"), f"tools[{index}].function")


def _must_call(choice: object, tools: tuple[Tool, ...]) -> str | None:
    function = choice.get("function") if isinstance(choice, dict) else None
    named = function.get("name") if isinstance(function, dict) else None
    return checks.must_call(choice, named, tools)


def _answer_format(wanted: JSON) -> tuple[JSON | None, bool]:
    """The schema that the answer is to follow, and whether it is to be JSON."""
    kind = wanted.get("type", "text")
    if kind == "json_schema":
        schema = checks.section(wanted, "json_schema")
        checks.text(schema, "name")
        return checks.section(schema, "schema"), True
    if kind not in ("text", "json_object"):
        raise errors.unsupported("response_format.type", f"Unsupported 'response_format': {kind}.")
    return None, kind == "json_object"


def _cap(body: JSON, names: tuple[str, ...]) -> int | None:
    found = [cap for name in names if (cap := checks.cap(body, name, 1)) is not None]
    if len(found) > 1:
        raise errors.Refused(
            f"Setting {' and '.join(map(repr, names))} at the same time is not supported.",
            code="invalid_parameter_combination",
        )
    return found[0] if found else None


def _usage_wanted(body: JSON, stream: bool) -> bool:
    options = checks.section(body, "stream_options")
    if options and not stream:
        raise errors.Refused(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    return not stream or checks.flag(options, "include_usage")

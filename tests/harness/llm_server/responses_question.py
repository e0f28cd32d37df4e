"""OpenAI's Responses: what a request may say, and what it asks."""

from collections.abc import Iterator
from typing import Any

from tests.harness.llm_server import checks, errors
from tests.harness.llm_server.question import JSON, Message, Question, Tool
from tests.harness.llm_server.usage import compact, input_tokens

PARAMETERS = (
    "access_programs background background_options context_management conversation image include "
    "input instructions max_output_tokens max_tool_calls metadata model moderation "
    "parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options "
    "prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options "
    "temperature text tool_choice tools top_logprobs top_p truncation user"
)
SEARCHES_MOST = 50
"""How often a model searches at most where nobody says how often it may."""
CAP_MIN = 16
"""OpenAI refuses a smaller `max_output_tokens`."""


def read(body: JSON) -> Question:
    """The question in a request's body.

    Raises:
        Refused: the request is not valid.
    """
    checks.known(body, PARAMETERS.split())
    model = checks.text(body, "model")
    if previous := body.get("previous_response_id"):
        raise errors.Refused(
            f"Previous response with id '{previous}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    messages = checks.not_empty(_messages(body), "input")
    searching = [tool for tool in checks.items(body, "tools") if checks.is_search(tool)]
    tools = tuple(_tools([t for t in checks.items(body, "tools") if t not in searching]))
    schema, json_wanted = _answer_format(checks.section(body, "text"))
    choice = body.get("tool_choice")
    named = choice.get("name") if isinstance(choice, dict) else None
    return Question(
        model=model,
        messages=messages,
        stream=checks.flag(body, "stream"),
        output_cap=checks.cap(body, "max_output_tokens", CAP_MIN),
        input_tokens=input_tokens(messages, tools, schema) + _recalled(body.get("input")),
        tools=tools,
        searches_max=(checks.cap(body, "max_tool_calls", 1) or SEARCHES_MOST) if searching else 0,
        must_call=checks.must_call(choice, named, tools),
        json_wanted=json_wanted,
        answer_schema=schema,
    )


def _messages(body: JSON) -> Iterator[Message]:
    if body.get("instructions"):
        yield Message("system", checks.text(body, "instructions"))
    asked = body.get("input")
    if asked is None:
        raise errors.missing("input")
    if isinstance(asked, str):
        yield Message("user", asked)
        return
    for index, item in enumerate(checks.items(body, "input")):
        if not isinstance(item, dict):
            raise errors.wrong_type(f"input[{index}]", "an object", item)
        yield _message(item, f"input[{index}]")


def _message(item: JSON, where: str) -> Message:
    match item.get("type", "message"):
        case "message":
            return Message(str(item.get("role", "user")), _text(item.get("content"), where))
        case "function_call":
            return Message("assistant", f"{item.get('name', '')}{item.get('arguments', '')}")
        case "function_call_output":
            return Message("tool", _text(item.get("output"), where))
        case "reasoning":
            return Message("assistant", "")  # see `_recalled`
        case "web_search_call":
            return Message("assistant", "")  # likewise
        case kind:
            raise errors.unsupported(f"{where}.type", f"This server has no input of type '{kind}'.")


def _recalled(asked: object) -> int:
    """The tokens of earlier thoughts and searches, as their ids tell."""
    items = asked if isinstance(asked, list) else []
    kept = ("reasoning", "web_search_call")
    thoughts = [item["id"] for item in items if item.get("type") in kept]
    return sum(int(name.rpartition("_")[2]) for name in thoughts)


def _text(content: object, where: str) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise errors.wrong_type(f"{where}.content", "a string or an array", content)
    texts = (part.get("text") if isinstance(part, dict) else None for part in content)
    pairs = zip(texts, content, strict=True)
    return "\n".join(text if isinstance(text, str) else compact(part) for text, part in pairs)


def _tools(entries: list[Any]) -> Iterator[Tool]:
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or entry.get("type") != "function":
            raise errors.unsupported(f"tools[{index}]", "This server knows tools of type function.")
        yield checks.tool(entry, f"tools[{index}]")


def _answer_format(text: JSON) -> tuple[JSON | None, bool]:
    """The schema that the answer is to follow, and whether it is to be JSON."""
    wanted = checks.section(text, "format")
    kind = wanted.get("type", "text")
    if kind == "json_schema":
        checks.text(wanted, "name")
        return checks.section(wanted, "schema"), True
    if kind not in ("text", "json_object"):
        raise errors.unsupported("text.format.type", f"Unsupported format: '{kind}'.")
    return None, kind == "json_object"

"""The text in whatever a tool or a Runnable returns, and the data in it."""

import json
from collections.abc import Mapping
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.executors.plain_json import plain_json

TEXT_KEYS = ("output", "text", "draft", "answer", "result", "content")
"""Where chains and agents of the usual kinds put their text, the commonest first."""


def output_text(output: Any) -> str:
    """Finds the text of a message, a document, an agent's state, a list of these, or plain data.

    Raises:
        TypeError: there is no text in it, as in bytes or a stream.
    """
    if output is None:
        return ""
    if isinstance(output, str):
        return str(output)  # of a subclass, the plain text
    if isinstance(output, Mapping):
        return _mapping_text(output)
    if isinstance(output, list | tuple):
        return _list_text(list(output))
    if isinstance(output, bool | int | float):
        return json.dumps(output)
    if hasattr(output, "content"):  # a message
        return _content_text(output.content)
    if hasattr(output, "page_content"):  # a document
        return output_text(output.page_content)
    if hasattr(output, "model_dump"):  # structured output
        return output_text(output.model_dump())
    raise TypeError(f"no text in a {type(output).__name__}; return a str or a Result")


def output_data(output: Any) -> Any:
    """The plain data that an output is or holds. None where it is a text and nothing else."""
    if isinstance(output, Mapping):
        if "structured_response" in output:  # of an agent that was asked for a shape
            return output_data(output["structured_response"])
        is_text_alone = len(output) == 1 and next(iter(output)) in TEXT_KEYS
        return None if "messages" in output or is_text_alone else _plain_or_none(dict(output))
    if isinstance(output, list | tuple | bool | int | float):
        return _plain_or_none(output)
    is_structured = hasattr(output, "model_dump") and not hasattr(output, "content")
    if is_structured and not hasattr(output, "page_content"):
        return _plain_or_none(output.model_dump(mode="json"))
    return None


def _plain_or_none(value: Any) -> Any:
    """What somebody returns without calling it data need not be any."""
    try:
        return plain_json("output", value)
    except InvalidInput:
        return None


def reported_tokens(output: Any) -> int | None:
    """The tokens that a message says it took. None when it does not say, or says nonsense."""
    usage = getattr(output, "usage_metadata", None)
    tokens = usage.get("total_tokens") if isinstance(usage, Mapping) else None
    is_count = isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 0
    return tokens if is_count else None


def _mapping_text(output: Mapping[Any, Any]) -> str:
    if messages := output.get("messages"):  # an agent's state: its last message is the answer
        return output_text(messages[-1] if isinstance(messages, list | tuple) else messages)
    for key in TEXT_KEYS:
        if isinstance(output.get(key), str):
            return str(output[key])
    return "\n".join(f"- **{key}:** {_one_line(value)}" for key, value in output.items())


def _list_text(output: list[Any]) -> str:
    texts = [output_text(member) for member in output]
    if any("\n" in text for text in texts):
        return "\n\n".join(texts)
    return "\n".join(f"- {text}" for text in texts)


def _content_text(content: Any) -> str:
    """A message's text. Its reasoning, images and tool calls are left out."""
    if not isinstance(content, list):
        return output_text(content)
    return "".join(
        part if isinstance(part, str) else output_text(part.get("text"))
        for part in content
        if isinstance(part, str) or (isinstance(part, Mapping) and "text" in str(part.get("type")))
    )


def _one_line(value: Any) -> str:
    if isinstance(value, str):
        return " ".join(value.split())
    return json.dumps(value, ensure_ascii=False, default=str)

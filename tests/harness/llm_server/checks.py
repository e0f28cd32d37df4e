"""Checks of a request's parameters that both APIs share."""

from collections.abc import Collection, Iterable
from typing import Any

from tests.harness.llm_server import errors
from tests.harness.llm_server.question import JSON, Message, Tool


def known(body: JSON, names: Collection[str]) -> None:
    """Refuse a parameter that the API does not have."""
    for name in body:
        if name not in names:
            raise errors.Refused(
                f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter"
            )


def text(body: JSON, name: str) -> str:
    """A string that must be there and not be empty."""
    if not body.get(name):
        raise errors.missing(name)
    if not isinstance(body[name], str):
        raise errors.wrong_type(name, "a string", body[name])
    return str(body[name])


def flag(body: JSON, name: str) -> bool:
    """A boolean; absent or null is False."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise errors.wrong_type(name, "a boolean", value)
    return bool(value)


def cap(body: JSON, name: str, minimum: int) -> int | None:
    """A limit on the output; absent or null is None."""
    value = body.get(name)
    if value is None:
        return None
    if type(value) is not int:
        raise errors.wrong_type(name, "an integer", value)
    if value < minimum:
        raise errors.below_minimum(name, minimum, value)
    return value


def section(body: JSON, name: str) -> JSON:
    """An object; absent or null is empty."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise errors.wrong_type(name, "an object", value)
    return value


def items(body: JSON, name: str) -> list[Any]:
    """An array; absent or null is empty."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise errors.wrong_type(name, "an array", value)
    return value


def tool(entry: JSON, where: str) -> Tool:
    """A function's name, description and schema."""
    name = text(entry, "name") if isinstance(entry, dict) else ""
    if not name:
        raise errors.missing(f"{where}.name")
    return Tool(name, str(entry.get("description") or ""), section(entry, "parameters"))


def is_search(tool: object) -> bool:
    """Whether a tool is the search that runs here, whatever date is in its name."""
    return isinstance(tool, dict) and str(tool.get("type")).startswith("web_search")


def must_call(choice: object, named: object, tools: tuple[Tool, ...]) -> str | None:
    """The function that `tool_choice` forces, if it does; `named` is the one it names."""
    if choice in (None, "auto", "none"):
        return None
    if not tools:
        raise errors.Refused(
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are "
            "specified.",
            param="tool_choice",
        )
    if choice == "required":
        return tools[0].name
    if not isinstance(named, str):
        raise errors.unsupported("tool_choice", f"Unsupported 'tool_choice': {choice!r}.")
    if named not in (tool.name for tool in tools):
        raise errors.Refused(
            f"Tool choice '{named}' not found in 'tools' parameter.", param="tool_choice"
        )
    return named


def not_empty(messages: Iterable[Message], name: str) -> tuple[Message, ...]:
    """The messages, of which there must be one at least."""
    found = tuple(messages)
    if not found:
        raise errors.Refused(
            f"Invalid '{name}': empty array. Expected an array with minimum length 1, "
            "but got an empty array instead.",
            param=name,
            code="empty_array",
        )
    return found

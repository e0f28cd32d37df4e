"""Checks what a tool is to be called with, against the tool's own schema."""

from collections.abc import Collection, Mapping
from typing import Any

from thrifty.budget import InvalidInput

JSON_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
MISSING = "it is missing; fill it in"


def check_tool_input(tool: Any, given: object, field: str, unknown: Collection[str] = ()) -> None:
    """Refuses an input that a tool would refuse, or of which it would ignore a part.

    Args:
        tool: one of LangChain's, known by its `args`.
        given: a mapping of its arguments or, where it has one, that argument as a text.
        field: what an error calls the input.
        unknown: the arguments whose values are not known yet: they have to be there, no more.

    Raises:
        InvalidInput: it is none that the tool takes.
    """
    properties: Mapping[str, Any] = tool.args
    if isinstance(given, str) and len(properties) == 1:
        given = {next(iter(properties)): given}
    known = ", ".join(properties) or "none"
    if not isinstance(given, Mapping):
        raise InvalidInput(field, given, f"use a mapping of the tool's arguments: {known}")
    for name in given:
        if name not in properties:  # an injected argument is none of a caller's
            raise InvalidInput(f"{field}.{name}", given[name], f"known arguments: {known}")
    schema = getattr(tool, "tool_call_schema", None)
    if isinstance(schema, type) and hasattr(schema, "model_validate"):
        _check_by_model(schema, given, field, unknown)
    else:
        known_schema = schema if isinstance(schema, Mapping) else {}
        _check_by_json_schema(known_schema, given, field, unknown)


def _check_by_model(
    model: Any, given: Mapping[str, Any], field: str, unknown: Collection[str]
) -> None:
    from pydantic import ValidationError

    try:
        model.model_validate(dict(given))
    except ValidationError as error:
        for each in error.errors(include_url=False):
            # What is said of all arguments together may be said of the unknown ones.
            if not (unknown and (not each["loc"] or each["loc"][0] in unknown)):
                where = ".".join([field, *map(str, each["loc"])])
                if each["type"] == "missing":  # its input is what it should have been in
                    raise InvalidInput(where, None, MISSING) from None
                remedy = each["msg"].replace("Input should", "it should", 1)
                raise InvalidInput(where, each["input"], remedy) from None


def _check_by_json_schema(
    schema: Mapping[str, Any], given: Mapping[str, Any], field: str, unknown: Collection[str]
) -> None:
    """The names and the types of the arguments: what is inside them, the tool checks."""
    for name in schema.get("required", ()):
        if name not in given:
            raise InvalidInput(f"{field}.{name}", None, MISSING)
    for name, value in given.items():
        if name in unknown:
            continue
        wanted = schema.get("properties", {}).get(name, {}).get("type")
        names = [wanted] if isinstance(wanted, str) else list(wanted or ())
        if names and not any(_is_of_type(value, each) for each in names):
            raise InvalidInput(
                f"{field}.{name}", value, f"use a value of type {' or '.join(names)}"
            )


def _is_of_type(value: object, name: str) -> bool:
    if isinstance(value, bool) and name in ("integer", "number"):  # True is an int in Python
        return False
    return isinstance(value, JSON_TYPES.get(name, object))

"""Checks plain data against a JSON schema, as far as models are asked for one.

Source: JSON Schema, draft 2020-12, "Validation" and "Applicators". A keyword that would not be
checked is refused when the schema is given, not ignored when an answer comes.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from thrifty.budget import InvalidInput

TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
}
BOUNDS: Mapping[str, tuple[str, Callable[[Any, Any], bool], str]] = {
    "minimum": ("number", lambda value, bound: value >= bound, "use a number from {} on"),
    "maximum": ("number", lambda value, bound: value <= bound, "use a number up to {}"),
    "exclusiveMinimum": ("number", lambda value, bound: value > bound, "use a number above {}"),
    "exclusiveMaximum": ("number", lambda value, bound: value < bound, "use a number below {}"),
    "minLength": ("string", lambda value, bound: len(value) >= bound, "use {} characters or more"),
    "maxLength": ("string", lambda value, bound: len(value) <= bound, "use at most {} characters"),
    "pattern": ("string", lambda value, bound: bool(re.search(bound, value)), "match {}"),
    "minItems": ("array", lambda value, bound: len(value) >= bound, "give {} or more"),
    "maxItems": ("array", lambda value, bound: len(value) <= bound, "give at most {}"),
}
"""By keyword: the type that it bounds, what has to hold, and the remedy."""
SCHEMAS_BY_NAME = ("properties", "$defs", "definitions")
SCHEMA_LISTS = ("anyOf", "oneOf", "allOf")
CHECKED = (
    *("type", "enum", "const", "required", "items", "additionalProperties", "$ref"),
    *(*SCHEMAS_BY_NAME, *SCHEMA_LISTS, *BOUNDS),
)
ANNOTATIONS = (
    *("title", "description", "default", "examples", "format", "deprecated", "$schema", "$id"),
    *("$comment", "readOnly", "writeOnly", "discriminator"),
)
DEPTH_MAX = 60


def refuse_unchecked(field: str, schema: Any, depth: int = DEPTH_MAX) -> None:
    """Refuses a schema with a keyword that `check_schema` does not check.

    Raises:
        InvalidInput: names the keyword.
    """
    if isinstance(schema, bool):
        return
    if not isinstance(schema, Mapping) or not depth:
        raise InvalidInput(field, schema, "use a JSON schema")
    for keyword in schema:
        if keyword not in (*CHECKED, *ANNOTATIONS):
            remedy = "leave it out, as nobody here checks it, or give a pydantic class"
            raise InvalidInput(f"{field}.{keyword}", schema[keyword], remedy)
    for part, inner in _parts(schema):
        refuse_unchecked(f"{field}.{part}", inner, depth - 1)


def check_schema(
    field: str, value: Any, schema: Any, root: Mapping[str, Any], depth: int = DEPTH_MAX
) -> None:
    """Checks a value.

    Args:
        field: what an error calls the value.
        value: plain data.
        schema: what it has to match.
        root: the schema that a `$ref` refers to.
        depth: how deep schemas may refer to each other.

    Raises:
        InvalidInput: the first field that does not match.
    """
    if schema is False or not depth:
        raise InvalidInput(field, value, "leave it out")
    if schema is True:
        return
    if reference := schema.get("$ref"):
        check_schema(field, value, _reference_target(reference, root), root, depth - 1)
    _check_value(field, value, schema)
    if isinstance(value, dict):
        _check_members(field, value, schema, root, depth)
    if isinstance(value, list) and "items" in schema:
        for index, member in enumerate(value):
            check_schema(f"{field}[{index}]", member, schema["items"], root, depth - 1)
    _check_combined(field, value, schema, root, depth)


def _check_value(field: str, value: Any, schema: Mapping[str, Any]) -> None:
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if kinds and not any(TYPES[kind](value) for kind in kinds if kind in TYPES):
        raise InvalidInput(field, value, f"use a value of type {' or '.join(kinds)}")
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    # By type as well: True is 1 in Python, and not in JSON.
    if allowed is not None and not any(
        value == each and isinstance(value, bool) == isinstance(each, bool) for each in allowed
    ):
        raise InvalidInput(field, value, f"use one of: {', '.join(map(str, allowed))}")
    for keyword, (kind, holds, remedy) in BOUNDS.items():
        if keyword in schema and TYPES[kind](value) and not holds(value, schema[keyword]):
            raise InvalidInput(field, value, remedy.format(schema[keyword]))


def _check_members(
    field: str, value: Mapping[str, Any], schema: Mapping[str, Any], root: Any, depth: int
) -> None:
    for name in schema.get("required", ()):
        if name not in value:
            raise InvalidInput(f"{field}.{name}", None, "it is missing; fill it in")
    known = schema.get("properties", {})
    for name, member in value.items():
        inner = known[name] if name in known else schema.get("additionalProperties", True)
        check_schema(f"{field}.{name}", member, inner, root, depth - 1)


def _check_combined(
    field: str, value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int
) -> None:
    for inner in schema.get("allOf", ()):
        check_schema(field, value, inner, root, depth - 1)
    for keyword in ("anyOf", "oneOf"):
        ways: Sequence[Any] = schema.get(keyword, ())
        refusals: list[InvalidInput] = []
        for inner in ways:
            try:
                check_schema(field, value, inner, root, depth - 1)
            except InvalidInput as refused:
                refusals.append(refused)
        if ways and len(refusals) == len(ways):
            raise (
                refusals[-1]
                if len(ways) == 1
                else InvalidInput(
                    field, value, f"match one of its {len(ways)} ways; {refusals[0].remedy}"
                )
            )
        if keyword == "oneOf" and len(ways) - len(refusals) > 1:
            raise InvalidInput(field, value, "match exactly one of its ways")


def _reference_target(reference: str, root: Mapping[str, Any]) -> Any:
    """What a reference within the schema stands for."""
    found: Any = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        found = found.get(part) if isinstance(found, Mapping) and part else found
    return False if found is None else found


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The schemas in a schema, each with its place."""
    for keyword in SCHEMAS_BY_NAME:
        yield from ((f"{keyword}.{name}", s) for name, s in schema.get(keyword, {}).items())
    for keyword in SCHEMA_LISTS:
        yield from ((f"{keyword}[{i}]", s) for i, s in enumerate(schema.get(keyword, ())))
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            yield keyword, schema[keyword]

"""Sensible data for a JSON schema, for structured answers that nobody scripted."""

from collections.abc import Mapping
from typing import Any

from tests.harness.llm_server import prose

Schema = Mapping[str, Any]
DEPTH_MAX = 8
ITEMS_USUAL = 2


def sample(schema: Schema, question: str) -> Any:
    """The simplest value that follows the schema, in words from the question.

    Knows $ref, const, enum, default, anyOf, oneOf, allOf, types, bounds and lengths; not `pattern`,
    `format` and the keywords that exclude (`not`, `if`).
    """
    return _Sampler(schema, prose.subjects(question)).value(schema, "answer", 0, 0)


class _Sampler:
    def __init__(self, root: Schema, words: tuple[str, ...]) -> None:
        self._root = root
        self._words = words

    def value(self, schema: Schema, name: str, index: int, depth: int) -> Any:
        """A value for the field `name` of the item number `index`."""
        schema = self._plain(schema)
        for fixed in ("const", "default"):
            if schema.get(fixed) is not None:
                return schema[fixed]
        if schema.get("enum"):
            return schema["enum"][0]
        match self._type(schema):
            case "object" if depth < DEPTH_MAX:
                fields = schema.get("properties", {}).items()
                return {key: self.value(field, key, index, depth + 1) for key, field in fields}
            case "array" if depth < DEPTH_MAX:
                return self._array(schema, name, depth + 1)
            case "string":
                return self._text(schema, name, index)
            case "integer" | "number" as kind:
                return _number(schema, kind, index)
            case "boolean":
                return True
            case kind:
                return {"object": {}, "array": []}.get(kind)

    def _plain(self, schema: Schema) -> Schema:
        """The schema with references followed and the first choice taken."""
        for _ in range(DEPTH_MAX):
            if "$ref" in schema:
                schema = self._referred(schema["$ref"])
            elif "allOf" in schema:
                rest = {key: value for key, value in schema.items() if key != "allOf"}
                parts = [self._plain(part) for part in schema["allOf"]]
                schema = {**{k: v for part in parts for k, v in part.items()}, **rest}
            elif choices := schema.get("anyOf") or schema.get("oneOf"):
                schema = next((c for c in choices if c.get("type") != "null"), choices[0])
        return schema

    def _referred(self, reference: str) -> Schema:
        found: Any = self._root
        for key in reference.removeprefix("#").strip("/").split("/"):
            found = found[key] if key else found
        return dict(found)

    @staticmethod
    def _type(schema: Schema) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((name for name in kind if name != "null"), "null")
        return kind or ("object" if "properties" in schema else "string")

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        length = max(ITEMS_USUAL, schema.get("minItems", 0))
        length = min(length, schema.get("maxItems", length))
        items = schema.get("items", {"type": "string"})
        return [self.value(items, name, index, depth) for index in range(length)]

    def _text(self, schema: Schema, name: str, index: int) -> str:
        word = self._words[index % len(self._words)]
        text = f"{name.replace('_', ' ').capitalize()} {index + 1}: {word}"
        text = text.ljust(schema.get("minLength", 0), ".")
        return text[: schema.get("maxLength", len(text))]


def _number(schema: Schema, kind: str, index: int) -> int | float:
    step = 1 if kind == "integer" else 0.5
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + step)
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 100) - step)
    value = min(max(low, 10 * (index + 1)), max(low, high))
    return int(value) if kind == "integer" else value

"""The shape in which an answer is wanted: a pydantic class or a JSON schema, asked for and checked.

A model is asked for it as the arguments of a function. Of all ways to ask, that one kept the
provider's count of tokens in every case, also where the JSON was bad. A model whose server leaves
functions out is asked by the schema alone (`Model.shape_field`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.executors.json_schema import check_schema, refuse_unchecked
from thrifty.executors.plain_json import compact_json, plain_json

FIELD = "response_format"
NAME_MAX = 64
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class AnswerShape:
    """What an answer has to be."""

    schema: Mapping[str, Any] = field(hash=False)
    """A JSON schema of an object, with a title and a description."""
    model: Any = None
    """The pydantic class that it was made from. None: the schema alone."""

    @classmethod
    def of(cls, given: object) -> AnswerShape | None:
        """Reads what a user gave.

        Args:
            given: a pydantic class, a JSON schema of an object, or None for answers as text.

        Raises:
            InvalidInput: it is none of these, or has a keyword that nobody here checks.
        """
        if given is None:
            return None
        if isinstance(given, type) and hasattr(given, "model_json_schema"):
            return cls(_with_title(given.model_json_schema()), given)
        if not isinstance(given, Mapping):
            raise InvalidInput(FIELD, given, "use a pydantic class or a JSON schema")
        schema = plain_json(FIELD, dict(given))
        refuse_unchecked(FIELD, schema)
        if schema.get("type") != "object":
            raise InvalidInput(f"{FIELD}.type", schema.get("type"), "use a schema of an object")
        return cls(_with_title(schema))

    def read(self, given: object) -> Any:
        """An answer as plain data of this shape.

        Args:
            given: data, or a text that holds it as JSON: untrusted, of any shape.

        Raises:
            InvalidInput: it does not match; the error names the first field that does not.
        """
        if isinstance(given, str):
            try:
                given = json.loads(given)
            except (ValueError, RecursionError):
                raise InvalidInput("structured", given, "answer with JSON") from None
        data = plain_json("structured", given)
        if self.model is not None:
            return _read_model(self.model, data)
        check_schema("structured", data, self.schema, self.schema)
        return data


def _read_model(model: Any, data: Any) -> Any:
    from pydantic import ValidationError

    try:
        # As JSON, so that a date may be a text, and comes back as one.
        return model.model_validate_json(compact_json(data)).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(["structured", *map(str, first["loc"])])
        raise InvalidInput(where, first["input"], _own_words(first["msg"])) from None
    except Exception as error:  # noqa: BLE001 - the class may check by code of its own
        told = f"its own check raised {type(error).__name__}"
        raise InvalidInput("structured", data, told) from None


def _own_words(told: str) -> str:
    """What a check of the user's own says, without what pydantic puts before it."""
    return told.removeprefix("Value error, ").removeprefix("Assertion failed, ")


def _with_title(schema: Mapping[str, Any]) -> dict[str, Any]:
    title = NOT_IN_NAMES.sub("_", str(schema.get("title") or "answer"))[:NAME_MAX]
    return {"description": "Gives the answer.", **schema, "title": title}

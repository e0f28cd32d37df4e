"""Shapes of answers: what a JSON schema or a pydantic class lets through, and what it names."""

from datetime import date

import pytest
from pydantic import BaseModel, field_validator

from thrifty import InvalidInput
from thrifty.executors.answer_shape import AnswerShape

LEAF = {"type": "object", "properties": {"next": {"$ref": "#/$defs/leaf"}}, "required": []}


def shape(**properties) -> AnswerShape:
    schema = {"type": "object", "properties": properties, "$defs": {"leaf": LEAF}}
    found = AnswerShape.of(schema)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 3),
        ({"type": "integer"}, 3.0),
        ({"type": ["string", "null"]}, None),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, 1),
        ({"type": "string", "minLength": 1, "pattern": "^a"}, "ab"),
        ({"type": "array", "items": {"type": "boolean"}, "maxItems": 2}, [True, False]),
        ({"enum": ["a", 1]}, 1),
        ({"const": None}, None),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, 3),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, "a"),
        ({"allOf": [{"minimum": 1}, {"maximum": 3}]}, 2),
        ({"$ref": "#/$defs/leaf"}, {"next": {"next": {}}}),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"any": "text"}),
        (True, {"whatever": [1]}),
    ],
)
def test_what_matches_is_let_through(schema, value):
    assert shape(it=schema).read({"it": value}) == {"it": value}


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        ({"type": "integer"}, True, r"structured\.it: got True; use a value of type integer"),
        ({"type": "integer"}, 3.5, "use a value of type integer"),
        ({"type": ["string", "null"]}, 3, "string or null"),
        ({"exclusiveMinimum": 0}, 0, "above 0"),
        ({"maximum": 1}, 2, "up to 1"),
        ({"minLength": 1}, "", "1 characters or more"),
        ({"pattern": "^a"}, "ba", r"match \^a"),
        ({"items": {"type": "boolean"}}, [True, 1], r"structured\.it\[1\]: got 1"),
        ({"minItems": 1}, [], "give 1 or more"),
        ({"enum": ["a", 1]}, True, "use one of: a, 1"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, None, "match one of its 2 ways"),
        ({"oneOf": [{"minimum": 1}, {"maximum": 3}]}, 2, "exactly one"),
        ({"allOf": [{"minimum": 1}, {"maximum": 3}]}, 4, "up to 3"),
        ({"$ref": "#/$defs/leaf"}, {"next": 3}, r"structured\.it\.next: got 3"),
        ({"$ref": "#/$defs/none"}, 3, "leave it out"),
        ({"properties": {}, "additionalProperties": False}, {"x": 1}, r"it\.x: got 1; leave it"),
        ({"required": ["x"]}, {}, r"it\.x: got None; it is missing"),
        (False, 1, "leave it out"),
    ],
)
def test_what_does_not_match_is_named(schema, value, told):
    with pytest.raises(InvalidInput, match=told):
        shape(it=schema).read({"it": value})


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "no JSON",
        "[" * 100_000,
        '{"it": NaN}',
        '{"it": 1e999}',
        f'{{"it": {"9" * 5_000}}}',
        None,
    ],
)
def test_hostile_answers_get_a_clean_error(hostile):
    with pytest.raises(InvalidInput, match="structured"):
        shape(it=True).read(hostile)


def test_a_schema_that_refers_to_itself_ends():
    endless = AnswerShape.of({"type": "object", "$ref": "#"})
    assert endless is not None
    with pytest.raises(InvalidInput):
        endless.read({})


def test_a_pydantic_class_reads_json_and_hands_back_plain_data():
    class Trip(BaseModel):
        day: date
        price: float = 0.0

    found = AnswerShape.of(Trip)
    assert found is not None
    assert found.read('{"day": "2026-03-01"}') == {"day": "2026-03-01", "price": 0.0}
    with pytest.raises(InvalidInput, match=r"structured\.day: got 'soon'"):
        found.read({"day": "soon"})


def shape_that_raises(error: Exception) -> AnswerShape:
    """Of a class whose own check of a text raises this."""

    class Code(BaseModel):
        text: str

        @field_validator("text")
        @classmethod
        def check(cls, text: str) -> str:
            raise error

    found = AnswerShape.of(Code)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", [ValueError, AssertionError])
def test_what_a_class_says_of_an_answer_is_told_in_its_words(kind):
    with pytest.raises(InvalidInput) as refused:
        shape_that_raises(kind("it fails the tests")).read({"text": "x"})
    assert str(refused.value) == "structured.text: got 'x'; it fails the tests"


def test_whatever_a_class_raises_when_it_checks_is_a_clean_error():
    with pytest.raises(InvalidInput, match="its own check raised TimeoutError") as refused:
        shape_that_raises(TimeoutError("secret")).read({"text": "x"})
    assert "secret" not in str(refused.value)


def test_a_shape_is_called_as_functions_may_be_called():
    named = AnswerShape.of({"type": "object", "title": "A fleet, of vans [é]" + "x" * 80})
    assert named is not None
    assert len(named.schema["title"]) <= 64
    assert named.schema["title"].isascii()

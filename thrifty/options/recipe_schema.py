"""The fields of a recipe's file, checked by pydantic, and how they become a recipe."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from thrifty.budget import InvalidInput, Spend, Step, StepOption
from thrifty.budget.budget_phrase import PHRASE_EXAMPLE, parse_budget
from thrifty.budget.money import USD_MAX, quote_nano_usd
from thrifty.budget.option import DESCRIPTION_MAX, NAME_MAX, SPREAD_DEFAULT, SPREAD_MAX
from thrifty.budget.step import Role
from thrifty.budget.validate import AMOUNT_MAX, VALUE_MAX
from thrifty.executors.registry import LLM
from thrifty.options.phrases import PHRASE_LENGTH_MAX
from thrifty.options.recipe import STEPS_MAX, Recipe

FieldPath = tuple[str | int, ...]

# Each description is a remedy too: an error says "use" and then this.
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_MAX, strip_whitespace=True),
    Field(
        description=f"a text of 1 to {NAME_MAX} characters, in quotes if YAML reads it otherwise"
    ),
]
Sentence = Annotated[
    str,
    StringConstraints(min_length=1, max_length=DESCRIPTION_MAX, strip_whitespace=True),
    Field(description=f"a text of 1 to {DESCRIPTION_MAX:,} characters"),
]
Phrase = Annotated[
    str,
    StringConstraints(min_length=1, max_length=PHRASE_LENGTH_MAX, strip_whitespace=True),
    Field(description=f"a text of 1 to {PHRASE_LENGTH_MAX} characters"),
]
Amount = Annotated[
    int,
    Field(ge=0, le=AMOUNT_MAX, description=f"a whole number from 0 to {AMOUNT_MAX:,}, no quotes"),
]


def _number(maximum: float) -> Any:
    return Field(
        ge=0, le=maximum, allow_inf_nan=False, description=f"a number from 0 to {maximum:,.10g}"
    )


class _StrictModel(BaseModel):
    """Nothing unknown, nothing converted: "600" is no number and `yes` is no name."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class OptionSchema(_StrictModel):
    """One way to do a step. A model's estimates have no default: one left out would count as free.
    Other executors are expected to use what they declare, and nothing else."""

    executor: Name
    description: Sentence
    tokens: Amount
    latency_ms: Amount
    tool_calls: Amount
    value: Annotated[float, _number(VALUE_MAX)]
    cost_usd: Annotated[float, _number(USD_MAX)] = 0.0
    spread: Annotated[float, _number(SPREAD_MAX)] = SPREAD_DEFAULT
    output_tokens: Amount | None = None
    quality: Annotated[float, _number(1)] | None = None
    name: Name | None = None
    payload: Annotated[dict[str, Any], Field(description="a mapping with texts as keys")] = {}

    @model_validator(mode="before")
    @classmethod
    def _local_code_is_free(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or given.get("executor") in (None, LLM):
            return given
        return {**dict.fromkeys(("tokens", "latency_ms", "tool_calls"), 0), **given}


class StepSchema(_StrictModel):
    """A step and its alternatives."""

    name: Name
    options: Annotated[
        list[OptionSchema], Field(min_length=1, description="a list of at least one option")
    ]
    requires: Annotated[list[Name], Field(description="a list of names of other steps")] = []
    reads: Annotated[
        list[Name] | None, Field(description="a list of names of other steps and of documents")
    ] = None
    topic: Annotated[
        str, StringConstraints(max_length=NAME_MAX), Field(description="a short text")
    ] = ""
    role: Annotated[Role, Field(description="section, answer, material or revision")] = "section"
    required: Annotated[bool, Field(description="true or false")] = False
    kind: Annotated[
        str, StringConstraints(max_length=NAME_MAX), Field(description="a short text")
    ] = ""
    check: Annotated[
        str,
        StringConstraints(max_length=NAME_MAX),
        Field(description="the name of a check that is given to the agent"),
    ] = ""


class RecipeSchema(_StrictModel):
    """The root of the file."""

    steps: Annotated[
        list[StepSchema], Field(min_length=1, description="a list of at least one step")
    ]
    name: Name | None = None
    phrases: Annotated[list[Phrase], Field(description="a list of texts")] = []
    max_steps: Annotated[
        int | None, Field(ge=0, le=STEPS_MAX, description=f"a whole number from 0 to {STEPS_MAX:,}")
    ] = None
    budget: Annotated[str | None, Field(description=f'a text such as "{PHRASE_EXAMPLE}"')] = None


NAMES_OF_STEPS = frozenset({"requires", "reads"})
"""The fields of a step that are lists of names."""


class _MissingValue:
    """What an error shows for a field that is not there."""

    def __repr__(self) -> str:
        return "nothing"


def read_recipe(
    document: object, where: str, line_of: Callable[[FieldPath], int] | None = None
) -> Recipe:
    """Checks a recipe as plain data and makes one of it.

    Args:
        document: what YAML or a user's mapping holds.
        where: what errors call it: "recipe my.yaml".
        line_of: finds the line of a path in the file, for errors.

    Raises:
        InvalidInput: the first field that is wrong, by its dotted name.
    """
    try:
        entry = RecipeSchema.model_validate(document)
    except ValidationError as error:
        raise _to_invalid_input(error, where, line_of) from error
    named = {} if entry.name is None else {"name": entry.name}
    try:
        steps = tuple(_to_step(step) for step in entry.steps)
        return Recipe(
            steps,
            phrases=tuple(entry.phrases),
            max_steps=entry.max_steps,
            budget=None if entry.budget is None else parse_budget(entry.budget),
            **named,
        )
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error.field}", error.value, error.remedy) from error


def _to_step(entry: StepSchema) -> Step:
    options = tuple(_to_option(option, entry.name) for option in entry.options)
    reads = None if entry.reads is None else tuple(entry.reads)
    given = {"options": options, "requires": tuple(entry.requires), "reads": reads}
    return Step(**{**dict(entry), **given})


def _to_option(entry: OptionSchema, step: str) -> StepOption:
    label = "LLM" if entry.executor == "llm" else entry.executor
    return StepOption(
        name=entry.name or f"{step} ({label})",
        step=step,
        executor=entry.executor,
        description=entry.description,
        estimate=Spend(
            tokens=entry.tokens,
            # The shortest decimal that names the float is what the person wrote.
            cost_nano_usd=quote_nano_usd(Decimal(repr(entry.cost_usd))),
            latency_ms=entry.latency_ms,
            tool_calls=entry.tool_calls,
        ),
        value=entry.value,
        spread=entry.spread,
        payload=entry.payload,
        output_tokens=entry.output_tokens,
        quality=entry.quality,
    )


def _to_invalid_input(
    error: ValidationError, where: str, line_of: Callable[[FieldPath], int] | None
) -> InvalidInput:
    errors = error.errors(include_url=False)
    # A misspelt field is both missing and unknown, and "did you mean" helps more than "add it".
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    path: FieldPath = first["loc"]
    line = f" (line {line_of(path)})" if line_of else ""
    value = _MissingValue() if first["type"] == "missing" else first["input"]
    return InvalidInput(f"{where}: {_dotted_path(path)}{line}", value, _remedy(path, first["type"]))


def _dotted_path(path: FieldPath) -> str:
    """`steps[2].options[0].tokens`."""
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return dotted.lstrip(".") or "root"


def _remedy(path: FieldPath, error_type: str) -> str:
    fields = _fields_at(path)
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    if error_type == "extra_forbidden":
        near = get_close_matches(name, fields, n=1)
        return f"did you mean {near[0]}?" if near else f"known fields: {', '.join(fields)}"
    described = fields[name].description if name in fields and path[-1] == name else None
    if error_type == "missing":
        return f"add it: {described}"
    if described is None and NAMES_OF_STEPS.intersection(path):
        described = "the name of another step"
    return f"use {described or 'a mapping with the fields ' + ', '.join(fields)}"


def _fields_at(path: FieldPath) -> dict[str, Any]:
    """The fields of the entry that holds the last name of a path."""
    if "phrases" in path:
        return dict(RecipeSchema.model_fields)
    depth = sum(isinstance(part, int) for part in path)
    entry = (RecipeSchema, StepSchema, OptionSchema)[min(depth, 2)]
    if NAMES_OF_STEPS.intersection(path):
        entry = StepSchema
    return dict(entry.model_fields)

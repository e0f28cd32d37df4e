"""A task taken apart into steps, and the function whose arguments say so.

It says what is to be done and what reads what. It has no limits, prices, models or values.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from typing_extensions import TypedDict

from thrifty.budget.plain_data import PlainData
from thrifty.budget.step import Role

PLANNED_STEPS_MAX = 10
STEP_NAME_MAX = 60
INSTRUCTION_MAX = 1_200
READS_MAX = 20
INPUT_CHARACTERS_MAX = 4_000
IMPORTANCE_MAX = 10
WORDS_MIN, STEP_WORDS_MAX, TASK_WORDS_MAX = 30, 4_000, 100_000
IMPORTANCE_DEFAULT, STEP_WORDS_DEFAULT = 5, 300

WorkKind = Literal[
    "general", "write", "code", "reason", "extract", "search", "tool", "translate", "review"
]
"""What kind of work something is. `general`: nobody said."""
WORK_KINDS: tuple[str, ...] = get_args(WorkKind)
PLANNED_ROLES: tuple[str, ...] = get_args(Role)

_STEP_FIELDS: dict[str, dict[str, Any]] = {
    "id": {"type": "string", "description": "A short id, such as s1."},
    "name": {"type": "string", "description": "A heading of two to five words."},
    "instruction": {
        "type": "string",
        "description": "The assignment, with every name, number and condition that it needs.",
    },
    "reads": {
        "type": "array",
        "items": {"type": "string"},
        "description": "The ids of the steps and the names of the documents whose text it reads.",
    },
    "role": {"type": "string", "enum": [*PLANNED_ROLES]},
    "kind": {"type": "string", "enum": [*WORK_KINDS]},
    "importance": {"type": "integer", "minimum": 1, "maximum": IMPORTANCE_MAX},
    "words": {"type": "integer", "description": "About how many words its result has."},
    "executor": {"type": "string", "description": "The name of an executor, or model."},
    "input": {
        "type": "string",
        "description": 'The arguments of its executor as a JSON object, where "$s1" stands for '
        "the result of step s1. Empty where it takes none.",
    },
}
DECOMPOSITION_TOOL: dict[str, Any] = {
    "title": "plan_steps",
    "description": "Say in which steps the task is to be done. No steps: it is done in one go.",
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": [*WORK_KINDS], "description": "Of the whole task."},
        "words": {
            "type": "integer",
            "description": "How long the whole result is to be. 0: the task does not say.",
        },
        "steps": {
            "type": "array",
            "maxItems": PLANNED_STEPS_MAX,
            "items": {
                "type": "object",
                "properties": _STEP_FIELDS,
                "required": ["id", "name", "instruction", "reads"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["steps"],
}
"""The function whose arguments are the decomposition."""
SCHEMA_WORDS = tuple(each["description"] for each in _STEP_FIELDS.values() if "description" in each)
"""What a model may copy from it, instead of writing an instruction."""


class PlannedStepState(TypedDict):
    """A `PlannedStep` as plain data."""

    name: str
    instruction: str
    reads: list[str]
    role: str
    kind: str
    importance: int
    words: int
    executor: str
    input: Any


class DecompositionState(TypedDict):
    """A `Decomposition` as plain data."""

    steps: list[PlannedStepState]
    kind: str
    words: int | None
    remarks: list[str]


@dataclass(frozen=True, slots=True)
class PlannedStep(PlainData["PlannedStepState"]):
    """One step of a decomposition."""

    name: str
    """A line of text that looks like no other step's or document's."""
    instruction: str
    """What is to be done, in a line."""
    reads: tuple[str, ...] = ()
    """Names of the steps and documents whose results it reads."""
    role: Role = "material"
    """The `answer` is the result by itself. Without one, the `section` steps are, one after the
    other, and a `revision` rewrites them."""
    kind: WorkKind = "write"
    """What kind of work it is."""
    importance: int = IMPORTANCE_DEFAULT
    """How much of the result depends on it, from 1 to 10."""
    words: int = STEP_WORDS_DEFAULT
    """About how long its result is."""
    executor: str = ""
    """Who was named to do it, of those that the deployment registered. Empty: a model."""
    input: Any = field(default=None, hash=False)
    """What a tool is called with: it fits the tool's schema. `${Name}` in it stands for the result
    of a step or document that it reads."""


@dataclass(frozen=True, slots=True)
class Decomposition(PlainData["DecompositionState"]):
    """A task taken apart.

    Where its plain data comes from somebody who may have changed it, `read_decomposition` reads it.
    """

    steps: tuple[PlannedStep, ...] = ()
    """In the order of the result. None: a direct answer is all that there is."""
    kind: WorkKind = "general"
    """What kind of work the task is as a whole."""
    words: int | None = None
    """How long the result is to be, where the task says so."""
    remarks: tuple[str, ...] = ()
    """What was dropped or changed of what a model wrote, and why."""

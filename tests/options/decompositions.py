"""A deployment for decompositions, one that is good, and what has to hold of any."""

from types import SimpleNamespace

from langchain_core.tools import tool

from thrifty import Executor
from thrifty.budget.name_folding import fold_name
from thrifty.budget.plain_text import single_line
from thrifty.executors.plain_json import compact_json, plain_json
from thrifty.executors.references import find_reference
from thrifty.executors.registry import ExecutorRegistry
from thrifty.models.guard.tool_input import check_tool_input
from thrifty.options.decomposition import (
    INPUT_CHARACTERS_MAX,
    INSTRUCTION_MAX,
    PLANNED_ROLES,
    PLANNED_STEPS_MAX,
    STEP_NAME_MAX,
    STEP_WORDS_MAX,
    TASK_WORDS_MAX,
    WORDS_MIN,
    WORK_KINDS,
    Decomposition,
)
from thrifty.options.read_decomposition import REMARKS_MAX, read_decomposition


@tool
def search(query: str) -> str:
    """Searches the web."""
    return query


@tool
def count(rows: list[dict], unit: str = "pieces", most: int = 10) -> str:
    """Counts rows."""
    return f"{len(rows)} {unit}"


@tool
def mail(to: str, text: str) -> str:
    """Sends a mail."""
    return f"{to}: {text}"


REMOTE = SimpleNamespace(
    invoke=lambda given: str(given),
    args={"city": {"type": "string"}, "days": {"type": "integer"}},
    tool_call_schema={
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
    },
)
"""As a tool of an MCP server is."""
EXECUTORS = ExecutorRegistry.of(
    {
        "search": search,
        "count": count,
        "weather": REMOTE,
        "mail": Executor(mail, effects=True, description="Sends a mail."),
        "clerk": Executor(lambda work: "done", answers=True),
        "archive": lambda work: "found",
    }
)
DOCUMENTS = ("report.md", "Sales 2025")

GOOD = {
    "kind": "reason",
    "words": 500,
    "steps": [
        {
            "id": "s1",
            "name": "Find prices",
            "instruction": "Search for prices of heat pumps in Austria.",
            "reads": [],
            "role": "material",
            "kind": "search",
            "importance": 8,
            "words": 200,
            "executor": "search",
            "input": '{"query": "heat pump prices Austria"}',
        },
        {
            "id": "s2",
            "name": "Find subsidies",
            "instruction": "Search for subsidies of heat pumps in Austria.",
            "reads": [],
            "role": "material",
            "kind": "search",
            "importance": 6,
            "words": 200,
            "executor": "search",
            "input": '{"query": "heat pump subsidies Austria"}',
        },
        {
            "id": "s3",
            "name": "Comparison",
            "instruction": "Compare three heat pumps by what they cost after subsidies.",
            "reads": ["s1", "s2", "report.md"],
            "role": "answer",
            "kind": "reason",
            "importance": 10,
            "words": 500,
            "executor": "",
            "input": "",
        },
    ],
}
DOCUMENT = {
    "kind": "write",
    "words": 3_000,
    "steps": [
        {"id": "a", "name": "Figures", "instruction": "Extract all figures of 2025.",
         "reads": ["Sales 2025"], "role": "material", "kind": "extract", "importance": 5},
        {"id": "b", "name": "Where we stand", "instruction": "Say where we stand, by the figures.",
         "reads": ["a"], "role": "section", "kind": "write", "importance": 9, "words": 800},
        {"id": "c", "name": "Weather", "instruction": "Get the weather of Graz for 3 days.",
         "reads": [], "role": "material", "kind": "tool", "executor": "weather",
         "input": {"city": "Graz", "days": 3}},
        {"id": "d", "name": "What comes next", "instruction": "Say what to do next.",
         "reads": ["b", "c"], "role": "section", "kind": "write", "importance": 7, "words": 900},
        {"id": "e", "name": "Tell the boss", "instruction": "Mail what comes next to the boss.",
         "reads": ["d"], "role": "material", "kind": "tool", "executor": "mail",
         "input": {"to": "boss@example.com", "text": "As agreed: $d"}},
        {"id": "f", "name": "Polish", "instruction": "Make it one text.", "reads": ["b", "d"],
         "role": "revision", "kind": "review"},
    ],
}  # fmt: skip
"""Sections with all that may stand beside them."""


def read(given):
    return read_decomposition(given, EXECUTORS, DOCUMENTS)


def shown(decomposition):
    """The steps in a line each."""
    return tuple(
        f"{step.name} ({step.role}{step.executor and f' by {step.executor}'})"
        + (f" < {', '.join(step.reads)}" if step.reads else "")
        + (f" with {compact_json(step.input)}" if step.input is not None else "")
        for step in decomposition.steps
    )


def check(read_steps: Decomposition) -> None:
    """Asks whether a decomposition is one that can be planned, whatever it was read from."""
    steps = read_steps.steps
    by_name = {step.name: step for step in steps}
    folded = {fold_name(name) for name in (*by_name, *DOCUMENTS)}
    assert len(folded) == len(steps) + len(DOCUMENTS)
    assert len(steps) != 1
    assert len(steps) <= PLANNED_STEPS_MAX + 1
    assert len(read_steps.remarks) <= REMARKS_MAX
    assert read_steps.kind in WORK_KINDS
    assert read_steps.words is None or 1 <= read_steps.words <= TASK_WORDS_MAX
    for step in steps:
        _check_fields(step, by_name)
        _check_input(step, by_name)
    _check_order(by_name)
    _check_roles(steps, by_name)
    again = read(read_steps.to_state())
    assert (again.steps, again.kind, again.words) == (steps, read_steps.kind, read_steps.words)
    assert not again.remarks


def _check_fields(step, by_name):
    for text, maximum in ((step.name, STEP_NAME_MAX), (step.instruction, INSTRUCTION_MAX)):
        assert single_line(text) == text != ""
        assert len(text) <= maximum
    assert {*step.reads} <= {*by_name, *DOCUMENTS} - {step.name}
    assert len({*step.reads}) == len(step.reads)
    assert step.role in PLANNED_ROLES
    assert step.kind in WORK_KINDS
    for number, low, high in ((step.importance, 1, 10), (step.words, WORDS_MIN, STEP_WORDS_MAX)):
        assert type(number) is int
        assert low <= number <= high
    assert step.executor in ("", *EXECUTORS.registered)


def _check_input(step, by_name):
    if step.input is None:
        return
    assert step.executor in ("search", "count", "weather", "mail")
    assert plain_json("input", step.input) == step.input
    assert len(compact_json(step.input)) <= 2 * INPUT_CHARACTERS_MAX
    assert find_reference(step.input, {*by_name, *DOCUMENTS} - {*step.reads}) in ("", *step.reads)
    thing = EXECUTORS.terms_of(step.executor).fn
    check_tool_input(thing, step.input, "input", [*step.input] if "$" in str(step.input) else [])


def _check_order(by_name):
    finished: set[str] = set(DOCUMENTS)
    while ready := [
        step for step in by_name.values() if step.name not in finished and {*step.reads} <= finished
    ]:
        finished.update(step.name for step in ready)
    assert finished == {*by_name, *DOCUMENTS}


def _check_roles(steps, by_name):
    roles = [step.role for step in steps]
    is_read = {name for step in steps for name in step.reads}
    if not steps:
        return
    assert roles.count("answer") <= 1
    assert ("answer" in roles) != ("section" in roles)
    assert roles.count("revision") <= ("section" in roles)
    for step in steps:
        has_effects = EXECUTORS.has_effects(step.executor)
        assert (step.name == "Answer") == (step.role == "answer")
        if step.role == "revision":
            assert (step.reads, step.executor) == ((), "")
            assert step.name not in is_read
        if step.role == "material":
            assert step.name in is_read or has_effects
        else:
            assert not has_effects

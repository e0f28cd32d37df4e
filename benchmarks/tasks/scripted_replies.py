"""What the model says in a run: the stored steps, calls of tools, and filler of a seeded length."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from math import exp, log1p, sqrt
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.tasks.load import BenchmarkTask
from benchmarks.tasks.tools import make_tools
from tests.harness.llm_server import Answer, Request, ToolCall
from thrifty.options.decomposition import DECOMPOSITION_TOOL
from thrifty.options.priors import OUTPUT_TOKENS, SPREAD, tokens_of

DECOMPOSITIONS = Path(__file__).parent / "decompositions"
"""A folder a writer, and a file a task in it: what somebody wrote who saw nothing but the request
for steps."""
FIRST_WRITER = "first_writer"
NO_STEPS: Mapping[str, Any] = {"steps": []}
REASONING = 0.5
"""Tokens of thought for each token of text, as of a model that reasons at low effort."""
LENGTH_SIGMA = sqrt(log1p(SPREAD**2))
"""Lengths are log-normal around what is expected, with the spread that the planner assumes."""
BEGINNING = 80
"""So many characters of an instruction tell one step from another."""
ARGUMENTS = {"calculator": {"expression": "1200 * 1.19"}, "run_tests": {"code": "pass"}}


def writers_of(tasks: Iterable[BenchmarkTask]) -> tuple[str, ...]:
    """Who has written steps for any of these tasks, the first writer first. That one alone, where
    nobody has."""
    ids = {task.id for task in tasks}
    written = {file.parent.name for file in DECOMPOSITIONS.glob("*/*.json") if file.stem in ids}
    return tuple(sorted(written, key=lambda name: (name != FIRST_WRITER, name))) or (FIRST_WRITER,)


def decomposition_file(task_id: str, writer: str) -> Path:
    """Where the steps are that a writer gave to a task. It may not be there."""
    return DECOMPOSITIONS / writer / f"{task_id}.json"


def stored_decomposition(task_id: str, writer: str = FIRST_WRITER) -> Mapping[str, Any]:
    """What is answered to the request for steps: none where nothing was stored."""
    file = decomposition_file(task_id, writer)
    return json.loads(file.read_text("utf-8")) if file.exists() else NO_STEPS


def asks_for_steps(asked: Request) -> bool:
    """Whether a model is to take the task apart."""
    return asked.must_call == DECOMPOSITION_TOOL["title"]


def give_steps(decomposition: Mapping[str, Any]) -> Answer:
    """Answers each request for steps: an entry of a server's script."""
    return Answer(decomposition, when=asks_for_steps, times=None)


def replies(
    task: BenchmarkTask, length_factor: float = 1.0, writer: str = FIRST_WRITER
) -> Iterator[Answer]:
    """The script of a server for all runs of a task.

    Args:
        task: what is asked.
        length_factor: how many times as long as expected texts are.
        writer: whose steps they follow.
    """
    taken_apart = stored_decomposition(task.id, writer)
    steps = taken_apart["steps"]
    yield give_steps(taken_apart)
    if task.tools:
        yield Answer([_first_call(task)], when=_may_call_a_tool, times=None)
    for step in steps:
        if step.get("role") != "answer":
            tokens = tokens_of(step.get("words", 0)) * length_factor
            yield _filler(task.id, step["id"], tokens, _is_told(step["instruction"]))
    result = [s.get("words", 0) for s in steps if s.get("role") in ("answer", "section")]
    length = max(OUTPUT_TOKENS, tokens_of(task.words or sum(result)))
    yield _filler(task.id, "answer", length * length_factor)


def _filler(
    task_id: str, step_id: str, tokens: float, when: Callable[[Request], bool] | None = None
) -> Answer:
    drawn = exp(Random(f"{task_id} {step_id}").gauss(-(LENGTH_SIGMA**2) / 2, LENGTH_SIGMA))
    text = max(1, round(tokens * drawn))
    return Answer(tokens=text, reasoning_tokens=round(text * REASONING), when=when, times=None)


def _is_told(instruction: str) -> Callable[[Request], bool]:
    beginning = " ".join(instruction.split())[:BEGINNING]
    return lambda asked: beginning in _squeezed(asked.prompt)


@cache
def _squeezed(prompt: str) -> str:
    return " ".join(prompt.split())


def _may_call_a_tool(asked: Request) -> bool:
    """A model with tools calls one of them once, and answers then."""
    return bool(asked.tools) and all(message.role != "tool" for message in asked.messages)


def _first_call(task: BenchmarkTask) -> ToolCall:
    tool = make_tools(task)[0]
    queries = [s.query for fact in task.facts for s in fact.sources if s.tool == tool.name]
    return ToolCall(tool.name, ARGUMENTS.get(tool.name) or {"query": queries[0]})

"""What the model says in a run: the stored steps, calls of tools, and filler of a seeded length."""

import json
from collections.abc import Callable, Iterator, Mapping
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
"""A file a task, with what was written by somebody who saw nothing but the request for steps."""
ASKS_FOR_STEPS = DECOMPOSITION_TOOL["title"]
REASONING = 0.5
"""Tokens of thought for each token of text, as of a model that reasons at low effort."""
LENGTH_SIGMA = sqrt(log1p(SPREAD**2))
"""Lengths are log-normal around what is expected, with the spread that the planner assumes."""
BEGINNING = 80
"""So many characters of an instruction tell one step from another."""
ARGUMENTS = {"calculator": {"expression": "1200 * 1.19"}, "run_tests": {"code": "pass"}}


def stored_decomposition(task_id: str) -> Mapping[str, Any]:
    """What is answered to the request for steps: none where nothing was stored."""
    file = DECOMPOSITIONS / f"{task_id}.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else {"steps": []}


def replies(task: BenchmarkTask, length_factor: float = 1.0) -> Iterator[Answer]:
    """The script of a server for all runs of a task.

    Args:
        task: what is asked.
        length_factor: how many times as long as expected texts are.
    """
    taken_apart = stored_decomposition(task.id)
    steps = taken_apart["steps"]
    yield Answer(taken_apart, when=lambda asked: asked.must_call == ASKS_FOR_STEPS, times=None)
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

"""Runs the agent with texts that people or models write, and keeps the pairs that come of it.

python -m benchmarks.tasks.texts --desk FOLDER [--group first|held_out] [--steps-by WRITER]

A pair is the answer of the plan with steps, and the direct answer, at the same budget. What is to
be written stands in FOLDER/asked, and a reply of the same name in FOLDER/replies is taken up by the
next call of this command. Each pair that is whole is kept in `delivered/`.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tasks.delivered import Delivered, DeliveredText, write_delivered
from benchmarks.tasks.desk import PILES, Desk, FromDesk
from benchmarks.tasks.load import FIRST, GROUPS, BenchmarkTask, load_tasks
from benchmarks.tasks.one_run import sort_of
from benchmarks.tasks.scripted_replies import FIRST_WRITER, give_steps, stored_decomposition
from benchmarks.tasks.tools import make_tools
from benchmarks.tasks.whole_agent import (
    AgentRun,
    PlanSteps,
    count_as_openai,
    given_budgets,
    run_agent,
)
from tests.harness.llm_server import LLMServer
from thrifty import Budget

BUDGET = "generous"
WITH_STEPS = ("material and answer", "sections")


@dataclass(frozen=True, slots=True)
class Round:
    """How far a task has come."""

    task_id: str
    delivered: Delivered | None
    """Both texts, where nothing is missing."""
    waiting: frozenset[str]
    """The requests that somebody has to answer."""


def run_round(
    tasks: Sequence[BenchmarkTask], folder: Path, server: LLMServer, steps_by: str = FIRST_WRITER
) -> Iterator[Round]:
    """Each task whose plan has steps, run with what was written until now.

    Args:
        tasks: what is asked.
        folder: the desk.
        server: who answers.
        steps_by: who took the tasks apart.
    """
    budgets = given_budgets(tasks, server)
    for number, task in enumerate(tasks):
        pile, other = PILES[number % 2], PILES[1 - number % 2]
        budget = budgets[task.id][BUDGET]
        server.clear()
        server.script(give_steps(stored_decomposition(task.id, steps_by)))
        steps, desk = _run(task, budget, Desk(folder, pile), "auto", server)
        if sort_of(steps.first_plan["chosen"]) not in WITH_STEPS:
            continue
        direct, beside = _run(task, budget, Desk(folder, other), "never", server)
        desk.ask()
        beside.ask()
        waiting = frozenset({**desk.waiting, **beside.waiting})
        pair = Delivered(task.id, steps_by, _text(steps), _text(direct))
        yield Round(task.id, None if waiting else pair, waiting)


def _run(
    task: BenchmarkTask, budget: Budget, desk: Desk, plan_steps: PlanSteps, server: LLMServer
) -> tuple[AgentRun, Desk]:
    server.default = FromDesk(desk=desk)
    tools = map(desk.tool, make_tools(task))
    return run_agent(task, budget, tools, server, plan_steps=plan_steps), desk


def _text(run: AgentRun) -> DeliveredText:
    plan = tuple(option["name"] for option in run.first_plan["chosen"])
    return DeliveredText(run.result["answer"], plan, run.tokens, len(run.requests))


def main(arguments: Sequence[str] | None = None) -> None:
    """One round."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks.texts", description=__doc__)
    parser.add_argument("--desk", type=Path, required=True)
    parser.add_argument("--group", choices=GROUPS, default=FIRST)
    parser.add_argument("--steps-by", default=FIRST_WRITER)
    given = parser.parse_args(arguments)
    count_as_openai()
    with LLMServer() as server:
        rounds = list(run_round(load_tasks(given.group), given.desk, server, given.steps_by))
    for each in rounds:
        if each.delivered is not None:
            write_delivered(each.delivered)
        print(f"{each.task_id}: {len(each.waiting) or 'whole, no'} requests wait")
    print(f"In all, {sum(len(each.waiting) for each in rounds)} requests wait.")


if __name__ == "__main__":
    main()

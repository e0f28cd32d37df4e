"""Asks writers for the steps of tasks, and takes up what they wrote.

python -m benchmarks.tasks.steps --desk FOLDER [--group first|held_out]

FOLDER/steps/<task id>.md is the prompt that a model is sent, and FOLDER/steps/FUNCTION.json the
function that it is to call. A writer's arguments of that function, in
FOLDER/steps/<writer>/<task id>.json, are kept in `decompositions/<writer>/`.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.tasks.load import FIRST, GROUPS, BenchmarkTask, load_tasks
from benchmarks.tasks.scripted_replies import (
    DECOMPOSITIONS,
    NO_STEPS,
    asks_for_steps,
    give_steps,
)
from benchmarks.tasks.tools import make_tools
from benchmarks.tasks.whole_agent import PLENTY, count_as_openai, run_agent
from tests.harness.llm_server import LLMServer, Request


def request_for_steps(task: BenchmarkTask, server: LLMServer) -> Request:
    """What a model is sent that is to take a task apart, whether or not that would pay."""
    server.clear()
    server.script(give_steps(NO_STEPS))
    run = run_agent(task, PLENTY, make_tools(task), server, plan_steps="always")
    return next(filter(asks_for_steps, run.requests))


def ask_for_steps(tasks: Iterable[BenchmarkTask], desk: Path, server: LLMServer) -> None:
    """Writes the prompt of each task, and the function."""
    folder = desk / "steps"
    folder.mkdir(parents=True, exist_ok=True)
    for task in tasks:
        sent = request_for_steps(task, server)
        (folder / f"{task.id}.md").write_text(sent.prompt, "utf-8")
        (folder / "FUNCTION.json").write_text(_readable(sent.tools[0].as_json()), "utf-8")


def take_up_steps(
    tasks: Iterable[BenchmarkTask], desk: Path, to: Path = DECOMPOSITIONS
) -> list[str]:
    """Keeps what writers wrote, and says what that is: a line each.

    Raises:
        ValueError: a file is no object with steps.
    """
    ids = {task.id for task in tasks}
    files = [file for file in sorted(desk.glob("steps/*/*.json")) if file.stem in ids]
    return [f"{file.parent.name}, {file.stem}: {_keep(file, to)} steps" for file in files]


def _keep(file: Path, to: Path) -> int:
    """How many steps a file has."""
    try:
        written = json.loads(file.read_text("utf-8"))
        steps = written["steps"]
        if not isinstance(steps, list):
            raise TypeError(f"steps is a {type(steps).__name__}, and has to be a list")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file}: it has no steps: {error}") from error
    kept = to / file.parent.name / file.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(_readable(written), "utf-8")
    return len(steps)


def _readable(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Asks, and takes up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks.steps", description=__doc__)
    parser.add_argument("--desk", type=Path, required=True)
    parser.add_argument("--group", choices=GROUPS, default=FIRST)
    given = parser.parse_args(arguments)
    tasks = load_tasks(given.group)
    count_as_openai()
    with LLMServer() as server:
        ask_for_steps(tasks, given.desk, server)
    print("\n".join([f"{len(tasks)} requests are there", *take_up_steps(tasks, given.desk)]))


if __name__ == "__main__":
    main()

"""Runs the agent on all tasks at all budgets, and prints the tables of benchmarks/tasks.md.

python -m benchmarks.tasks
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from benchmarks.tasks.budgets import BUDGETS
from benchmarks.tasks.delivered import read_delivered
from benchmarks.tasks.load import GROUPS, BenchmarkTask, load_tasks
from benchmarks.tasks.one_run import RunFigures, run_task
from benchmarks.tasks.readers_report import groups_table, judges_table, pairs_table, read_pairs
from benchmarks.tasks.regret import regret_table, regrets
from benchmarks.tasks.report import faults, gains_table, other_plans, results_table
from benchmarks.tasks.scripted_replies import FIRST_WRITER, replies, writers_of
from benchmarks.tasks.tools import has_search
from benchmarks.tasks.verdicts import read_verdicts
from benchmarks.tasks.whole_agent import GivenAs, count_as_openai, given_budgets
from benchmarks.tasks.wrong_priors import WRONG_PRIORS, changed_priors
from tests.harness.llm_server import LLMServer
from thrifty import Budget
from thrifty.options.priors import LENGTH_FREE, tokens_of

AS_THEY_ARE = "as they are"


def run_tasks(
    tasks: Sequence[BenchmarkTask],
    budgets: Mapping[str, Mapping[str, Budget]],
    given_as: GivenAs,
    server: LLMServer,
    length_factor: float = 1.0,
    writer: str = FIRST_WRITER,
) -> Iterator[RunFigures]:
    """Each task at each of its budgets."""
    for task in tasks:
        server.clear()
        server.script(*replies(task, length_factor, writer))
        for name, budget in budgets[task.id].items():
            yield run_task(task, name, budget, given_as, server)


def _what_is_there(task: BenchmarkTask) -> str:
    """Why a model may be asked for steps."""
    if task.tools:
        return "with tools"
    if tokens_of(task.words or 0) > LENGTH_FREE:
        return "a long result"
    return "documents alone" if task.documents else "nothing"


def print_group(group: str, tasks: Sequence[BenchmarkTask], server: LLMServer) -> None:
    """The tables of a group of tasks."""
    budgets = given_budgets(tasks, server)
    run = partial(run_tasks, tasks, budgets, server=server)
    by_writer = {writer: list(run("executors", writer=writer)) for writer in writers_of(tasks)}
    (main_writer, runs), *_ = by_writer.items()
    with_tools = list(run("tools", writer=main_writer))
    print(f"## {group}: {len(tasks)} tasks, steps by {main_writer}\n")
    for title, each in (("executors", runs), ("tools", with_tools)):
        print(f"### Given as `{title}`\n\n{results_table('', _parts(tasks, each))}\n")
    print(f"### What steps bring\n\n{gains_table(runs)}\n")
    print(f"### Steps by others\n\n{results_table('writer', by_writer)}\n")
    wrong, lost = {AS_THEY_ARE: runs}, {}
    for name, changes in WRONG_PRIORS.items():
        with changed_priors(changes):
            wrong[name] = list(run("executors", writer=main_writer))
            ours = regrets(tasks, wrong[name], runs, server)
        lost[name] = regrets(tasks, runs, wrong[name], server), ours
    wrong["texts come twice as long"] = list(
        run("executors", length_factor=2.0, writer=main_writer)
    )
    print(f"### Wrong priors\n\n{results_table('priors', wrong)}\n\n{other_plans(wrong)}\n")
    print(f"{regret_table(lost)}\n\n### Faults\n")
    named = {"tools": with_tools, **by_writer, **wrong}
    found = [f"- {name}: {fault}" for name, each in named.items() for fault in faults(each)]
    print("\n".join(found or ["None."]), "\n")


def _parts(
    tasks: Sequence[BenchmarkTask], runs: Sequence[RunFigures]
) -> Mapping[str, Sequence[RunFigures]]:
    """Runs by their budget, and by what there is for steps."""
    handed = {task.id: _what_is_there(task) for task in tasks}
    parts = {budget: [run for run in runs if run.budget == budget] for budget in BUDGETS}
    for what in dict.fromkeys(handed.values()):
        parts[what] = [run for run in runs if handed[run.task_id] == what]
    return {**parts, "all": runs}


def print_readers(groups: Mapping[str, Sequence[BenchmarkTask]]) -> None:
    """What readers say of the stored texts."""
    delivered, judges = read_delivered(), read_verdicts()
    pairs = {group: read_pairs(tasks, delivered, judges) for group, tasks in groups.items()}
    every = [pair for each in pairs.values() for pair in each]
    searching = {task.id for tasks in groups.values() for task in tasks if has_search(task)}
    found = [pair for pair in every if pair.task_id in searching]
    others = [pair for pair in every if pair.task_id not in searching]
    rows = {**pairs, "with a search": found, "without": others, "all": every}
    print(f"## What readers say\n\n{groups_table(rows)}\n")
    for group, each in pairs.items():
        print(f"### {group}\n\n{pairs_table(each)}\n")
    print(f"### Judges\n\n{judges_table(judges)}\n")


def main() -> None:
    """Prints all tables."""
    count_as_openai()
    groups = {group: tasks for group in GROUPS if (tasks := load_tasks(group))}
    with LLMServer() as server:
        for group, tasks in groups.items():
            print_group(group, tasks, server)
    print_readers(groups)


if __name__ == "__main__":
    main()

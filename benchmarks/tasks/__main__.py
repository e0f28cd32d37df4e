"""Runs the agent on all tasks at all budgets, and prints the tables of benchmarks/tasks.md.

python -m benchmarks.tasks
"""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.tasks.budgets import BUDGETS
from benchmarks.tasks.load import BenchmarkTask, load_tasks
from benchmarks.tasks.one_run import GivenAs, RunFigures, direct_answer, run_task
from benchmarks.tasks.report import faults, gains_table, other_plans, results_table
from benchmarks.tasks.scripted_replies import replies
from benchmarks.tasks.wrong_priors import WRONG_PRIORS, changed_priors
from tests.harness.llm_server import LLMServer
from thrifty import Budget
from thrifty.models.costs import input_bound
from thrifty.options.priors import LENGTH_FREE, tokens_of


def given_budgets(
    tasks: Sequence[BenchmarkTask], server: LLMServer
) -> dict[str, dict[str, Budget]]:
    """The budgets of each task by its id, from the estimates of today."""
    return {
        task.id: {
            name: budget(direct_answer(task, server), task.words)
            for name, budget in BUDGETS.items()
        }
        for task in tasks
    }


def run_tasks(
    tasks: Sequence[BenchmarkTask],
    budgets: Mapping[str, Mapping[str, Budget]],
    given_as: GivenAs,
    server: LLMServer,
    length_factor: float = 1.0,
) -> Iterator[RunFigures]:
    """Each task at each of its budgets."""
    for task in tasks:
        server.clear()
        server.script(*replies(task, length_factor))
        for name, budget in budgets[task.id].items():
            yield run_task(task, name, budget, given_as, server)


def _what_is_there(task: BenchmarkTask) -> str:
    """Why a model may be asked for steps."""
    if task.tools:
        return "with tools"
    if tokens_of(task.words or 0) > LENGTH_FREE:
        return "a long result"
    return "documents alone" if task.documents else "nothing"


def main() -> None:
    """Prints all tables."""
    # The provider counts tokens as OpenAI does.
    input_bound.OPENAI_HOSTS = (*input_bound.OPENAI_HOSTS, ".127.0.0.1")
    tasks = load_tasks()
    with LLMServer() as server:
        budgets = given_budgets(tasks, server)
        runs = list(run_tasks(tasks, budgets, "executors", server))
        with_tools = list(run_tasks(tasks, budgets, "tools", server))
        wrong = {"as they are": runs}
        for name, changes in WRONG_PRIORS.items():
            with changed_priors(changes):
                wrong[name] = list(run_tasks(tasks, budgets, "executors", server))
        wrong["texts come twice as long"] = list(
            run_tasks(tasks, budgets, "executors", server, 2.0)
        )
    handed = {task.id: _what_is_there(task) for task in tasks}
    for title, each in (("executors", runs), ("tools", with_tools)):
        groups = {b: [run for run in each if run.budget == b] for b in BUDGETS}
        for what in dict.fromkeys(handed.values()):
            groups[what] = [run for run in each if handed[run.task_id] == what]
        groups["all"] = each
        print(f"### Given as `{title}`\n\n{results_table('', groups)}\n")
    print(f"### What steps bring\n\n{gains_table(runs)}\n")
    print(f"### Wrong priors\n\n{results_table('priors', wrong)}\n\n{other_plans(wrong)}\n")
    print("### Faults\n")
    for name, each in {"tools": with_tools, **wrong}.items():
        print("\n".join(f"- {name}: {fault}" for fault in faults(each)))


if __name__ == "__main__":
    main()

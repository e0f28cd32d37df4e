"""The benchmark of tasks counts what runs did: who was asked, what was planned and paid."""

import json
from dataclasses import replace

import pytest

from benchmarks.tasks import scripted_replies
from benchmarks.tasks.__main__ import run_tasks
from benchmarks.tasks.load import load_tasks
from benchmarks.tasks.one_run import sort_of
from benchmarks.tasks.regret import Regret, regret_of, regret_table, regrets
from benchmarks.tasks.report import faults, gains_table, other_plans, results_table
from benchmarks.tasks.scripted_replies import FIRST_WRITER
from benchmarks.tasks.whole_agent import given_budgets
from benchmarks.tasks.wrong_priors import WRONG_PRIORS, changed_priors
from tests.harness.llm_server import LLMServer
from thrifty.executors.registry import AGENT
from thrifty.options import priors

TRIP, SHORT = "trip-harz", "short-kaltmiete"
TASKS = [task for task in load_tasks() if task.id in (TRIP, SHORT)]
STEPS = [
    {
        "id": "trains",
        "name": "Züge",
        "instruction": "Suche Züge von Hamburg nach Wernigerode.",
        "reads": [],
        "role": "material",
        "kind": "search",
        "importance": 8,
        "words": 200,
        "executor": "suche_verbindungen",
        "input": json.dumps({"query": "Hamburg Wernigerode"}),
    },
    {
        "id": "plan",
        "name": "Plan",
        "instruction": "Schreibe den Plan.",
        "reads": ["trains"],
        "role": "answer",
        "importance": 5,
        "words": 400,
    },
]


@pytest.fixture
def server():
    with LLMServer() as running:
        yield running


@pytest.fixture
def runs(server, tmp_path, monkeypatch):
    """Both tasks at two budgets. Only one of them has steps."""
    monkeypatch.setattr(scripted_replies, "DECOMPOSITIONS", tmp_path)
    file = scripted_replies.decomposition_file(TRIP, FIRST_WRITER)
    file.parent.mkdir()
    file.write_text(json.dumps({"kind": "reason", "steps": STEPS}))
    budgets = {
        task_id: {name: given[name] for name in ("one call", "generous")}
        for task_id, given in given_budgets(TASKS, server).items()
    }

    def run(given_as="executors"):
        found = run_tasks(TASKS, budgets, given_as, server)
        return {(run.task_id, run.budget): run for run in found}

    return run


def test_steps_are_asked_for_and_used_where_there_are_tools_and_room(runs):
    found = runs()
    poor, rich = found[TRIP, "one call"], found[TRIP, "generous"]
    assert (poor.asked, poor.plan, poor.gain, poor.ways) == (False, "direct", None, ())
    assert (rich.asked, rich.plan, rich.in_vain) == (True, "material and answer", False)
    more, direct = rich.gain
    assert more == pytest.approx(rich.value, abs=0.05)
    assert more > direct
    assert rich.ways == (2,), "the answer, by the strong model and by the cheap one"
    assert {run.plan for key, run in found.items() if key[0] == SHORT} == {"direct"}
    assert faults(found.values()) == []
    assert all(0 < run.spent_share <= 1 for run in found.values())
    assert found == runs(), "the same each time"


def test_who_calls_tools_by_itself_is_planned_as_that(runs):
    run = runs("tools")[TRIP, "generous"]
    assert (run.asked, run.plan, run.books_right) == (False, "agent with tools", True)


@pytest.mark.parametrize(
    ("steps", "sort"),
    [
        ([], "none"),
        ([("Answer", "llm")], "direct"),
        ([("Answer", AGENT)], "agent with tools"),
        ([("Answer with tools", AGENT)], "agent with tools"),
        ([("Search", "find"), ("Answer", "llm")], "material and answer"),
        ([("Search", "find"), ("Results", "llm"), ("Costs", "llm")], "sections"),
    ],
)
def test_plans_are_told_apart_by_what_answers(steps, sort):
    assert sort_of([{"step": step, "executor": executor} for step, executor in steps]) == sort


def test_without_stored_steps_asking_is_in_vain(runs):
    scripted_replies.decomposition_file(TRIP, FIRST_WRITER).unlink()
    run = runs()[TRIP, "generous"]
    assert (run.asked, run.in_vain, run.plan, run.gain) == (True, True, "direct", None)


def test_a_prior_is_wrong_for_a_while(runs):
    right = runs()[TRIP, "generous"].gain
    with changed_priors(WRONG_PRIORS["κ of tools 0.3 → 0.6"]):
        wrong = runs()[TRIP, "generous"].gain
    assert wrong[1] > right[1], "more is known without the tool"
    assert priors.TOOL_KEPT == 0.3


def test_the_tables_say_what_was_counted_and_name_what_may_not_be(runs):
    found = list(runs().values())
    *_, row = results_table("budget", {"all": found}).splitlines()
    assert row.startswith("| all | 4 | 1 | 0 (0%) | 3 | 0 | 1 | 0 | ")
    assert " | 100% of 1 | 0 | " in row
    (gained,) = gains_table(found).splitlines()[2:]
    assert gained.startswith(f"| {TRIP} | generous | material and answer | ")
    *_, same, other = other_plans({"as they are": found, "wrong": found[::-1]}).splitlines()
    assert same == "| as they are | 0 | 0 |"
    assert other == "| wrong | 2 | 2 |", "the rich trip and the poor one have changed places"
    bad = replace(found[0], spent_share=1.2, books_right=False, value=101.0, gain=(1.0, 2.0))
    assert len(faults([bad])) == 4


def test_a_plan_by_wrong_priors_is_valued_by_the_right_ones():
    """Answer: 40, or 30 if it is cheap. Found: 20 more. Noted: 5 more, of which nothing is seen."""
    worth = {
        "Answer": {"strong": 40.0, "cheap": 30.0},
        "Search": {"found": 20.0},
        "Notes": {"noted": 5.0},
    }
    assert regret_of(["strong", "found"], ["strong"], worth) == Regret(20.0, False)
    assert regret_of(["strong"], ["cheap", "noted"], worth) == Regret(5.0, True)
    assert regret_of(["strong"], ["cheap", "found"], worth) == Regret(-10.0, False)
    zero, one = [Regret(0.0, False)], [Regret(3.0, True), Regret(1.0, False)]
    *_, row = regret_table({"prior": (zero, one)}).splitlines()
    assert row == "| prior | 0.00 | 0.0 | 0 | 2.00 | 3.0 | 1 |"


def test_regret_is_counted_in_the_problem_that_has_the_steps(runs, server):
    right = [*runs().values()]
    poor = [replace(run, chosen=("Answer (strong)",), facts={**run.facts}) for run in right]
    assert {regret.value for regret in regrets(TASKS, right, right, server)} == {0.0}
    lost = [regret.value for regret in regrets(TASKS, right, poor, server)]
    gains = [run.gain[0] - run.gain[1] if run.gain else 0.0 for run in right]
    assert lost == pytest.approx(gains, abs=0.1)
    assert max(lost) > 10, "a direct answer in the place of steps"

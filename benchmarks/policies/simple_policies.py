"""Policies that know the plan and the bill, and nothing of reservations: what others do today."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from benchmarks.policies.drifting_world import WorldRun
from tests.steering.at_once import remaining_totals
from thrifty.budget import Budget, Outcome, Spend, StepOption
from thrifty.nodes.context import Context
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem
from thrifty.steering.decide import DriftFacts, decide
from thrifty.steering.remaining import remaining_options

MAX_REPLANS = Context().max_replans


@dataclass(frozen=True)
class PolicyResult:
    """How one run ended."""

    value: float
    """Of what was finished within the budget: what came when the money was gone was not paid."""
    spent: Spend
    is_over: bool


def run_static_plan(run: WorldRun) -> PolicyResult:
    """The tutorial: its beam plans once on the bare estimates, then the plan is carried out."""
    plan = make_plan(replace(run.problem, risk=0.5), "beam")
    return _sum_up(run, plan.chosen)


def run_until_over(run: WorldRun) -> PolicyResult:
    """The best plan is carried out until the bill has passed a limit."""
    done: list[StepOption] = []
    for option in make_plan(run.problem).chosen:
        done.append(option)
        if _is_over_budget(run, done):
            break
    return _sum_up(run, done)


def run_with_replans(run: WorldRun) -> PolicyResult:
    """After each step the course is set anew, by the catalog's estimates and what is left."""
    outcomes: list[Outcome] = []
    plan, replans = make_plan(run.problem), 0
    while True:
        problem = _remaining_problem(run, outcomes)
        course = decide(
            DriftFacts(
                plan=plan,
                new_outcomes=tuple(outcomes[-1:]),
                remaining=remaining_totals(plan, problem),
                left=problem.left,
                make_new_plan=partial(make_plan, problem),
                replans_left=MAX_REPLANS - replans,
            ),
            "replan",
        )
        if course.action == "replan":
            plan, replans = make_plan(problem), replans + 1
        rest = _affordable_options(remaining_options(plan, problem), problem.left)
        if course.action == "end" or not rest:
            break
        outcomes.append(Outcome(rest[0], "done", "text", run.actual[rest[0].name]))
    return _sum_up(run, [outcome.option for outcome in outcomes])


def _remaining_problem(run: WorldRun, outcomes: list[Outcome]) -> Problem:
    finished = {outcome.step for outcome in outcomes}
    return replace(
        run.problem,
        steps=tuple(step for step in run.steps if step.name not in finished),
        done=tuple(step for step in run.steps if step.name in finished),
        left=run.budget.left_after(sum((outcome.actual for outcome in outcomes), Spend())),
        max_steps=run.problem.max_steps - len(finished),
    )


def _affordable_options(rest: list[StepOption], left: Budget) -> list[StepOption]:
    """A step whose very estimate is not left is not begun."""
    return [option for option in rest if left.covers(option.estimate)]


def _is_over_budget(run: WorldRun, done: list[StepOption]) -> bool:
    return not run.budget.covers(sum((run.actual[o.name] for o in done), Spend()))


def _sum_up(run: WorldRun, done: list[StepOption] | tuple[StepOption, ...]) -> PolicyResult:
    value, spent = 0.0, Spend()
    for option in done:
        spent += run.actual[option.name]
        value += option.value if run.budget.covers(spent) else 0.0
    return PolicyResult(value, spent, not run.budget.covers(spent))

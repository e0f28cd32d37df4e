"""Policies that know the plan and the bill, and nothing of reservations: what others do today."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from benchmarks.policies.world import Run
from thrifty.budget import Budget, Outcome, Spend, StepOption
from thrifty.nodes.context import Context
from thrifty.planning.course import Standing, set_course
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem
from thrifty.planning.rest import ahead, still_to_do

MAX_REPLANS = Context().max_replans


@dataclass(frozen=True)
class Result:
    """How one run ended."""

    value: float
    """Of what was finished within the budget: what came when the money was gone was not paid."""
    spent: Spend
    is_over: bool


def static(run: Run) -> Result:
    """The tutorial: its beam plans once on the bare estimates, then the plan is carried out."""
    plan = make_plan(replace(run.problem, risk=0.5), "beam")
    return _settled(run, plan.chosen)


def halting(run: Run) -> Result:
    """The best plan is carried out until the bill has passed a limit."""
    done: list[StepOption] = []
    for option in make_plan(run.problem).chosen:
        done.append(option)
        if _over(run, done):
            break
    return _settled(run, done)


def replanning(run: Run) -> Result:
    """After each step the course is set anew, by the catalog's estimates and what is left."""
    outcomes: list[Outcome] = []
    plan, replans = make_plan(run.problem), 0
    while True:
        problem = _left_over(run, outcomes)
        course = set_course(
            Standing(
                plan=plan,
                news=tuple(outcomes[-1:]),
                ahead=ahead(plan, problem),
                left=problem.left,
                best=partial(make_plan, problem),
                replans_left=MAX_REPLANS - replans,
            ),
            "replan",
        )
        if course.action == "replan":
            plan, replans = make_plan(problem), replans + 1
        rest = _fitting(still_to_do(plan, problem), problem.left)
        if course.action == "end" or not rest:
            break
        outcomes.append(Outcome(rest[0], "done", "text", run.actual[rest[0].name]))
    return _settled(run, [outcome.option for outcome in outcomes])


def _left_over(run: Run, outcomes: list[Outcome]) -> Problem:
    finished = {outcome.step for outcome in outcomes}
    return replace(
        run.problem,
        steps=tuple(step for step in run.steps if step.name not in finished),
        done=tuple(step for step in run.steps if step.name in finished),
        left=run.budget.left_after(sum((outcome.actual for outcome in outcomes), Spend())),
        max_steps=run.problem.max_steps - len(finished),
    )


def _fitting(rest: list[StepOption], left: Budget) -> list[StepOption]:
    """A step whose very estimate is not left is not begun."""
    return [option for option in rest if option.estimate.within(left)]


def _over(run: Run, done: list[StepOption]) -> bool:
    return not sum((run.actual[o.name] for o in done), Spend()).within(run.budget)


def _settled(run: Run, done: list[StepOption] | tuple[StepOption, ...]) -> Result:
    value, spent = 0.0, Spend()
    for option in done:
        spent += run.actual[option.name]
        value += option.value if spent.within(run.budget) else 0.0
    return Result(value, spent, not spent.within(run.budget))

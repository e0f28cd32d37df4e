"""What `thrifty plan` computes: what a run would plan first, without loading the graph."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from thrifty.budget import LeftOut, Plan
from thrifty.cli.bill_history import read_bills
from thrifty.cli.run_request import RunRequest
from thrifty.estimates.history import NO_HISTORY
from thrifty.estimates.learned import learn_from_history
from thrifty.executors.answer_shape import AnswerShape
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.results import Results
from thrifty.executors.step_estimate import StepEstimator
from thrifty.options.availability import no_plan_reason
from thrifty.options.capped_answers import cap_answers
from thrifty.options.first_problem import first_problem
from thrifty.planning.engines import make_plan
from thrifty.planning.explanation import (
    RequiredIncrease,
    ShadowPrice,
    required_increases,
    shadow_prices,
)
from thrifty.planning.problem import Problem
from thrifty.planning.without_limits import best_without_limits

EXPLAINED_OPTIONS_MAX = 30
"""What would bring an option in takes many plans. For more options than this nothing is said."""


@dataclass(frozen=True, slots=True)
class PlanPreview:
    """A plan, and what more budget would change about it."""

    plan: Plan
    prices: tuple[ShadowPrice, ...]
    required_increases: tuple[RequiredIncrease, ...]


def preview_plan(request: RunRequest) -> PlanPreview:
    """Plans with the whole budget; steps that a model would propose are not known yet."""
    requested = requested_problem(request)
    left_out = requested.left_out
    problem = cap_answers(requested.problem, requested.estimator, Results(request.documents))
    plan = make_plan(problem, request.context.engine).with_best(
        best_without_limits(requested.problem)
    )
    if why := no_plan_reason(request.steps, problem.steps, left_out):
        plan = plan.as_infeasible(why)
    names = [each.option for each in plan.left_out]
    is_explained = 0 < len(names) <= EXPLAINED_OPTIONS_MAX
    return PlanPreview(
        plan=replace(plan, left_out=(*plan.left_out, *left_out)),
        prices=shadow_prices(problem, plan) if is_explained else (),
        required_increases=required_increases(problem, plan, names) if is_explained else (),
    )


class RequestedProblem(NamedTuple):
    """What a run would plan first, with answers of any length."""

    problem: Problem
    left_out: tuple[LeftOut, ...]
    """The options that are out of the question."""
    estimator: StepEstimator


def requested_problem(request: RunRequest) -> RequestedProblem:
    """The problem that a run would plan first."""
    context = request.context
    history = read_bills() if context.learn else NO_HISTORY
    access = ModelAccess(
        roles=request.roles,
        is_cost_limited=request.budget.max_cost_usd is not None,
        chosen=context.model,
    )
    steps = request.steps
    options = (option for step in steps for option in step.options)
    learned = learn_from_history(history, options, access.executor_model)
    max_steps = request.recipes.max_steps(request.recipe.name, context.max_steps)
    estimator = StepEstimator(
        access,
        request.task,
        context.step_prompt,
        AnswerShape.of(request.schema),
        request.asked_length,
    )
    estimated = estimator.estimate_steps(steps, Results(request.documents))
    problem = first_problem(estimated, request.budget, max_steps, context, access, learned)
    return RequestedProblem(*problem, estimator)

"""What `thrifty plan` computes: what a run would plan first, without loading the graph."""

from dataclasses import dataclass, replace

from thrifty.budget import LeftOut, Plan
from thrifty.cli.bill_history import read_bills
from thrifty.cli.run_request import RunRequest
from thrifty.estimates.history import BillHistory
from thrifty.estimates.learned import learn_from_history
from thrifty.executors.model_access import ModelAccess
from thrifty.options.availability import find_available_options, no_plan_reason, price_steps
from thrifty.planning.engines import make_plan
from thrifty.planning.explanation import (
    RequiredIncrease,
    ShadowPrice,
    required_increases,
    shadow_prices,
)
from thrifty.planning.problem import Problem
from thrifty.steering.forecast import Forecaster

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
    problem, left_out = first_problem(request)
    plan = make_plan(problem, request.context.engine)
    if why := no_plan_reason(request.catalog.steps, problem.steps, left_out):
        plan = plan.as_infeasible(why)
    names = [each.option for each in plan.left_out]
    is_explained = 0 < len(names) <= EXPLAINED_OPTIONS_MAX
    return PlanPreview(
        plan=replace(plan, left_out=(*plan.left_out, *left_out)),
        prices=shadow_prices(problem, plan) if is_explained else (),
        required_increases=required_increases(problem, plan, names) if is_explained else (),
    )


def first_problem(request: RunRequest) -> tuple[Problem, tuple[LeftOut, ...]]:
    """The problem that a run would plan first, and the options that are out of the question."""
    context = request.context
    history = read_bills() if context.learn else BillHistory({})
    access = ModelAccess(
        roles=request.roles,
        is_cost_limited=request.budget.max_cost_usd is not None,
        chosen=context.model,
    )
    offered, left_out = find_available_options(price_steps(request.catalog.steps, access), access)
    priced = map(access.price_option, request.catalog.options)
    learned = learn_from_history(history, priced, access.executor_model)
    problem = Problem(
        Forecaster(learned.summaries).forecast_steps(
            learned.apply_scores(offered), access.executor_model
        ),
        request.budget,
        context.max_steps,
        context.diversity_penalty,
        concurrency=context.max_concurrency,
        schedule="waves",
        risk=context.risk,
        residuals=learned.residuals,
    )
    return problem, left_out

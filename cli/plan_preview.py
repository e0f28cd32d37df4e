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
from thrifty.options.cascades import offer_cascades
from thrifty.options.chances import Chances
from thrifty.options.recipe import ANSWER
from thrifty.planning.engines import make_best_plan
from thrifty.planning.explanation import (
    RequiredIncrease,
    ShadowPrice,
    required_increases,
    shadow_prices,
)
from thrifty.planning.held_plan import plan_while_held
from thrifty.planning.problem import Problem
from thrifty.planning.without_limits import best_without_limits
from thrifty.prompts.steps_request import steps_request
from thrifty.run.asking_rule import AskingForecast, AskingRule
from thrifty.run.first_plans import FirstPlans

EXPLAINED_OPTIONS_MAX = 30
"""What would bring an option in takes many plans. For more options than this nothing is said."""


@dataclass(frozen=True, slots=True)
class PlanPreview:
    """A plan, and what more budget would change about it."""

    plan: Plan
    prices: tuple[ShadowPrice, ...]
    required_increases: tuple[RequiredIncrease, ...]
    asking: AskingForecast | None
    """Whether a run would first ask a model for steps. None where that is no question."""


def preview_plan(request: RunRequest) -> PlanPreview:
    """Plans with the whole budget; steps that a model would propose are not known yet."""
    requested = foresee_run(request)
    left_out = requested.left_out
    problem = requested.cap_answers(requested.problem)
    plan = plan_while_held(
        [problem], lambda given: make_best_plan(given, request.context.engine)
    ).plan
    plan = plan.told_with(best_without_limits(requested.problem), requested.uncounted)
    if why := no_plan_reason(request.steps, problem.steps, left_out):
        plan = plan.as_infeasible(why)
    names = [each.option for each in plan.left_out]
    is_explained = 0 < len(names) <= EXPLAINED_OPTIONS_MAX
    return PlanPreview(
        plan=replace(plan, left_out=(*plan.left_out, *left_out)),
        prices=shadow_prices(problem, plan) if is_explained else (),
        required_increases=required_increases(problem, plan, names) if is_explained else (),
        asking=requested.asking,
    )


class ForeseenRun(NamedTuple):
    """What a run would begin with, as long as it has no steps of a model's."""

    problem: Problem
    """What it would plan first, with answers of any length."""
    left_out: tuple[LeftOut, ...]
    """The options that are out of the question."""
    estimator: StepEstimator
    asking: AskingForecast | None
    """Whether it would first ask a model for steps. None where that is no question."""
    uncounted: tuple[str, ...]
    """The executors whose help the values do not count."""
    results: Results
    """What there is to read."""

    def cap_answers(self, problem: Problem) -> Problem:
        """The problem, or one with more or less left, with answers as long as it affords."""
        return cap_answers(problem, self.estimator, self.results)


def foresee_run(request: RunRequest) -> ForeseenRun:
    """What a run would begin with."""
    estimator, plans = _first_plans(request)
    problem, left_out = plans.problem(request.budget)
    problem = _with_cascades(problem, request, plans)
    executors, recipe = request.executors, request.recipe.name
    rule = AskingRule(
        wanted=request.context.plan_steps,
        recipe=recipe,
        words=request.words or 0,
        roles=request.roles,
        has_documents=bool(request.documents),
        executors=executors,
        plans=plans,
    )
    asking = rule.foresee(
        lambda: steps_request(
            request.context.decompose_prompt, request.task, executors, request.documents
        ),
        request.budget,
        is_free=request.context.approve_plan,
    )
    uncounted = executors.for_steps_alone if recipe == ANSWER else ()
    results = Results(request.documents)
    return ForeseenRun(problem, left_out, estimator, asking, uncounted, results)


def _with_cascades(problem: Problem, request: RunRequest, plans: FirstPlans) -> Problem:
    """The problem with what a run would plan for results that may fail a check of the person's."""
    if not (request.context.check_results and request.context.cascades):
        return problem
    chances = Chances(plans.access, request.checks, plans.learned.odds)
    has_effects = request.executors.has_effects
    offered = (offer_cascades(step, chances, has_effects) for step in problem.steps)
    return replace(problem, steps=tuple(offered))


def _first_plans(request: RunRequest) -> tuple[StepEstimator, FirstPlans]:
    context, steps = request.context, request.steps
    history = read_bills() if context.learn else NO_HISTORY
    access = ModelAccess(
        roles=request.roles,
        is_cost_limited=request.budget.max_cost_usd is not None,
        chosen=context.model,
    )
    options = (option for step in steps for option in step.options)
    estimator = StepEstimator(
        access,
        request.task,
        context.step_prompt,
        AnswerShape.of(request.schema),
        request.asked_length,
    )
    plans = FirstPlans(
        steps=estimator.estimate_steps(steps, Results(request.documents)),
        max_steps=request.recipes.max_steps(request.recipe.name, context.max_steps),
        settings=context,
        access=access,
        learned=learn_from_history(history, options, access.executor_model),
    )
    return estimator, plans

"""A plan without a run: what the agent would plan first, made without loading the graph."""

from dataclasses import dataclass, replace

from thrifty.budget import LeftOut, Plan
from thrifty.cli.request import Request
from thrifty.estimates.history import History
from thrifty.estimates.learned import learn
from thrifty.executors.offer import Terms, hopeless, offer, priced
from thrifty.models.prices import PriceList
from thrifty.planning.engines import make_plan
from thrifty.planning.explanation import Entry, ShadowPrice, entries, shadow_prices
from thrifty.planning.forecast import forecast
from thrifty.planning.problem import Problem

ASKED_OPTIONS_MAX = 30
"""What would bring an option in takes many plans; for more options than this it is left out."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan, and what more budget would change about it."""

    plan: Plan
    prices: tuple[ShadowPrice, ...]
    entries: tuple[Entry, ...]


def preview(request: Request, history: History) -> Preview:
    """Plans with the whole budget; steps that a model would propose are not known yet.

    Args:
        request: what was asked.
        history: what earlier runs came to.
    """
    problem, left_out = problem_of(request, history)
    made = make_plan(problem, request.context.engine)
    if why := hopeless(request.catalog.steps, problem.steps, left_out):
        made = made.as_infeasible(why)
    asked = made.left_out if len(made.left_out) <= ASKED_OPTIONS_MAX else ()
    return Preview(
        plan=replace(made, left_out=(*made.left_out, *left_out)),
        prices=shadow_prices(problem, made) if asked else (),
        entries=entries(problem, made, [left.option for left in asked]) if asked else (),
    )


def problem_of(request: Request, history: History) -> tuple[Problem, tuple[LeftOut, ...]]:
    """The problem that a run would plan first, and the options that are out of the question."""
    context = request.context
    terms = Terms(
        model=context.model,
        prices=PriceList(request.settings.prices),
        is_offline=request.settings.is_offline,
        limits_cost=request.budget.max_cost_usd is not None,
    )
    offered, left_out = offer(priced(request.catalog.steps, terms), terms)
    learned = learn(history, map(terms.priced, request.catalog.options), terms.doer)
    problem = Problem(
        forecast(learned.steps(offered), terms.doer, learned.tallies),
        request.budget,
        context.max_steps,
        context.diversity_penalty,
        concurrency=context.max_concurrency,
        schedule="waves",
        risk=context.risk,
        surprises=learned.surprises,
    )
    return problem, left_out

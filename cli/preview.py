"""A plan without a run: what the agent would plan first, made without loading the graph."""

from dataclasses import dataclass, replace

from thrifty.budget import Plan
from thrifty.cli.request import Request
from thrifty.executors.offer import Terms, offer
from thrifty.models.prices import PriceList
from thrifty.planning.engines import make_plan
from thrifty.planning.explanation import Entry, ShadowPrice, entries, shadow_prices
from thrifty.planning.problem import Problem

ASKED_OPTIONS_MAX = 30
"""What would bring an option in takes many plans; for more options than this it is left out."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan, and what more budget would change about it."""

    plan: Plan
    prices: tuple[ShadowPrice, ...]
    entries: tuple[Entry, ...]


def preview(request: Request) -> Preview:
    """Plans with the whole budget; steps that a model would propose are not known yet."""
    context = request.context
    terms = Terms(
        model=context.model,
        prices=PriceList(request.settings.prices),
        is_offline=request.settings.is_offline,
        limits_cost=request.budget.max_cost_usd is not None,
    )
    offered, left_out = offer(request.catalog.steps, terms)
    problem = Problem(
        offered,
        request.budget,
        context.max_steps,
        context.diversity_penalty,
        concurrency=context.max_concurrency,
        schedule="waves",
        risk=context.risk,
    )
    made = make_plan(problem, context.engine)
    asked = made.left_out if len(made.left_out) <= ASKED_OPTIONS_MAX else ()
    return Preview(
        plan=replace(made, left_out=(*made.left_out, *left_out)),
        prices=shadow_prices(problem, made) if asked else (),
        entries=entries(problem, made, [left.option for left in asked]) if asked else (),
    )

"""A plan without a run: what the agent would plan first, made without loading the graph."""

from dataclasses import replace

from thrifty.budget import Plan
from thrifty.cli.request import Request
from thrifty.executors.offer import Terms, offer
from thrifty.models.prices import PriceList
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem


def preview(request: Request) -> Plan:
    """Plans with the whole budget; steps that a model would propose are not known yet."""
    context = request.context
    terms = Terms(
        model=context.model,
        prices=PriceList(request.settings.prices),
        is_offline=request.settings.is_offline,
        limits_cost=request.budget.max_cost_usd is not None,
    )
    offered, left_out = offer(request.catalog.steps, terms)
    problem = Problem(offered, request.budget, context.max_steps, context.diversity_penalty)
    made = make_plan(problem, context.engine)
    return replace(made, left_out=(*made.left_out, *left_out))

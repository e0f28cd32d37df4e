"""A plan without a run: what the agent would plan first, made without loading the graph."""

from dataclasses import replace

from thrifty.budget import Plan, PriceUnknown, Step, StepOption
from thrifty.cli.request import Request
from thrifty.executors.registry import LLM
from thrifty.models.envelope import with_cost
from thrifty.models.prices import PriceList
from thrifty.planning.engines import make_plan
from thrifty.planning.menu import menu
from thrifty.planning.problem import Problem


def preview(request: Request) -> Plan:
    """Plans with the whole budget; steps that a model would propose are not known yet."""
    prices = PriceList(request.settings.prices)
    is_cost_limited = request.budget.max_cost_usd is not None
    model = request.context.model
    steps = request.catalog.steps
    if is_cost_limited:
        steps = tuple(_priced(step, model, prices) for step in steps)

    def barred(option: StepOption) -> str:
        if option.executor != LLM:
            return ""
        if request.settings.is_offline:
            return "offline: no key and no server"
        return prices.why_unknown(_model_of(option, model)) if is_cost_limited else ""

    offered, left_out = menu(steps, barred)
    problem = Problem(
        offered, request.budget, request.context.max_steps, request.context.diversity_penalty
    )
    made = make_plan(problem, request.context.engine)
    return replace(made, left_out=(*made.left_out, *left_out))


def _model_of(option: StepOption, default: str) -> str:
    return str(option.payload.get("model", default))


def _priced(step: Step, default: str, prices: PriceList) -> Step:
    """The step with the costs of its model options filled in, where a price is known."""

    def priced(option: StepOption) -> StepOption:
        try:
            known = option.executor == LLM
            return with_cost(option, _model_of(option, default), prices) if known else option
        except PriceUnknown:
            return option

    return replace(step, options=tuple(priced(option) for option in step.options))

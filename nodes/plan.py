"""Chooses the best set of options that fits in what is left."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from thrifty.budget import Plan
from thrifty.budget.decision import Decision
from thrifty.models.guard.can_interrupt import NOBODY, can_interrupt
from thrifty.nodes.context import Context
from thrifty.receipt.wording import describe_chance, describe_share, describe_uncounted
from thrifty.run.current_run import CurrentRun
from thrifty.run.facts import RunFacts
from thrifty.run.fit_conversation import WHOLE_CONVERSATION
from thrifty.run.services import Services
from thrifty.steering.plan_changes import iterate_plan_changes


class PlanInput(RunFacts):
    """What this node reads."""

    is_approved: bool
    kept_out: dict[str, dict[str, str]]


def plan(
    state: PlanInput,
    runtime: Runtime[Context],
    config: RunnableConfig,
    *,
    run_id: str,
    services: Services,
) -> dict[str, Any]:
    """Plans what is not done yet with what is not spent yet. The first time, that is everything."""
    context = Context.of(runtime.context)
    run = CurrentRun(state, context, services, run_id)
    problem, excluded = run.problem()
    new_plan = run.plan(problem).told_with(run.best_value(), run.uncounted_tools)
    if reason := run.no_plan_reason():
        new_plan = new_plan.as_infeasible(reason)
    # The planner never saw what is excluded. The plan says why all the same.
    new_plan = replace(new_plan, left_out=(*new_plan.left_out, *excluded))
    spent = run.spent()
    decisions = [Decision("plan", _describe(new_plan), spent.latency_ms)]
    if state["revision"]:
        old_options = run.undone(run.cache.read(Plan, state["plan"]))
        label = run.model_access.executor_label
        changes = iterate_plan_changes(old_options, new_plan, problem, label, spent.latency_ms)
        decisions = [*changes, *decisions]
    update: dict[str, Any] = {
        "plan": run.cache.write(new_plan),
        "revision": state["revision"] + 1,
        "decisions": run.cache.write_all(decisions),
        "spend": spent.to_state(),
        "kept_out": _kept_out(state["kept_out"], new_plan, run),
        "direction": "route",
    }
    if new_plan.chosen and not state["is_approved"]:
        update |= _ask_for_approval(config)
    # The receipt compares with the first plan, which is kept once another takes its place.
    return {**update, "first_plan": state["plan"]} if state["revision"] == 1 else update


def _kept_out(
    known: Mapping[str, dict[str, str]], new_plan: Plan, run: CurrentRun
) -> dict[str, dict[str, str]]:
    """By option, the limits that keep it out, and who set it. Of a step that is done, as before.

    What the first node left out of the conversation stays out.
    """
    finished = run.cache.finished
    before = {
        name: limits
        for name, limits in known.items()
        if name == WHOLE_CONVERSATION
        or ((option := run.declared_options().get(name)) and option.step in finished)
    }
    now = {each.option: each.short_of for each in new_plan.left_out if each.short_of}
    return before | run.who_limits(now)


def _ask_for_approval(config: RunnableConfig) -> dict[str, Any]:
    if can_interrupt(config):
        return {"direction": "approve"}
    return {"direction": "finish", "halt_reason": "the plan is to be approved, " + NOBODY}


def _describe(new_plan: Plan) -> str:
    """A plan in one sentence."""
    if not new_plan.chosen:
        return new_plan.note or "nothing that could be done fits in what is left"
    names = ", ".join(option.name for option in new_plan.chosen)
    share = describe_share(new_plan.share, new_plan.best)
    told = f"{names}: worth {new_plan.value:.1f}{share and f', {share}'}"
    chance = describe_chance(new_plan.chance)
    return "; ".join(filter(None, (told, chance, describe_uncounted(new_plan.uncounted))))

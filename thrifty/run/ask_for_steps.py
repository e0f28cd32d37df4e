"""Asks a model once to take a task apart, where a direct answer loses nothing by it."""

from collections.abc import Callable

from langchain_core.runnables import RunnableConfig

from thrifty.options.decomposition import Decomposition
from thrifty.options.decomposition_request import request_decomposition
from thrifty.options.recipe import ANSWER
from thrifty.run.allow_planning_call import allow_planning_call
from thrifty.run.asking_rule import AskingRule, PlanSteps
from thrifty.run.new_run import NewRun

NOT_ASKED = "no model was asked for steps"


def take_task_apart(
    run: NewRun,
    wanted: PlanSteps,
    prompt: Callable[[], str],
    config: RunnableConfig,
    *,
    is_free: bool,
) -> tuple[NewRun, tuple[str, ...]]:
    """The run with the steps that a model gives it, and remarks: why none was asked, what failed,
    and what the steps bring. Without steps, the run as it was, which says what it does not count.

    Args:
        run: that answers directly so far.
        wanted: `auto`, where it pays; `always`, where a direct answer fits beside it; or `never`.
        prompt: writes what a model is asked.
        config: as the node is told.
        is_free: whether nothing may be spent before there is a plan.
    """
    if run.facts["recipe"] != ANSWER:
        return run, ()
    found = _request(run, _asking_rule(run, wanted), prompt, config, is_free)
    if isinstance(found, str):
        return run.without_help(), (found,) if found else ()
    if found.steps:
        apart = run.taken_apart(found)
        return apart, (*found.remarks, _describe(apart, found))
    if found.remarks:  # of what it might have been, nobody knows
        return run.without_help(), found.remarks
    roles = run.services.models.roles
    return run, (f"{roles[roles.cheap].model} was asked for steps, and gave none",)


def _asking_rule(run: NewRun, wanted: PlanSteps) -> AskingRule:
    facts, services = run.facts, run.services
    return AskingRule(
        wanted=wanted,
        recipe=facts["recipe"],
        words=facts["words"],
        roles=services.models.roles,
        has_documents=bool(facts["documents"]),
        executors=services.executors,
        plans=run.plans,
    )


def _request(
    run: NewRun, rule: AskingRule, prompt: Callable[[], str], config: RunnableConfig, is_free: bool
) -> Decomposition | str:
    """What a model makes of the task, or why none was asked. Empty where that is no question."""
    if refusal := rule.refusal:
        return f"{NOT_ASKED}: {refusal}"
    if refusal is None:
        return ""
    services, call = run.services, rule.call(prompt())
    allowance = allow_planning_call(run, call, rule.why_not, is_free=is_free)
    if isinstance(allowance, str):
        return f"{NOT_ASKED}: {allowance}"
    documents = run.facts["documents"]
    return request_decomposition(
        call.prompt, services.models, allowance, services.executors, documents, config
    )


def _describe(apart: NewRun, decomposition: Decomposition) -> str:
    """What the steps bring, by the plans with and without them."""
    roles, left, count = apart.services.models.roles, apart.left(), len(decomposition.steps)
    planned, direct = apart.plans.plan(left), apart.plans.plan_answer(left)
    steps = f"{roles[roles.cheap].model} took the task apart into {count} steps"
    if planned.value <= direct.value:
        return f"{steps}: none that fits is worth more than a direct answer"
    return f"{steps}: the plan is worth {planned.value:.1f}, a direct answer {direct.value:.1f}"

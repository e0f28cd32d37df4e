"""Asks a model once to take a task apart, where a direct answer loses nothing by it.

Measured in a prototype: of 61 tasks that were taken apart 20 gained by it, nearly all of them with
tools. So a model is asked only where there is something that a direct answer has not, and where
the call takes little of what there is.
"""

from collections.abc import Callable
from typing import Literal

from langchain_core.runnables import RunnableConfig

from thrifty.budget import Budget, Spend, StepOption, total_spend
from thrifty.executors.registry import AGENT, LLM
from thrifty.models.roles.agent_models import ModelPrompt
from thrifty.options.decomposition import DECOMPOSITION_TOOL, Decomposition
from thrifty.options.decomposition_request import request_decomposition
from thrifty.options.priors import LENGTH_FREE, VALUE_MAX, model_quality, tokens_of
from thrifty.options.recipe import ANSWER
from thrifty.run.new_run import NewRun
from thrifty.run.planning_call import PlanningCall, allow_planning_call

PlanSteps = Literal["auto", "always", "never"]

DECOMPOSITION_KEY = "decomposition"
"""The key of the call in the run's own account."""
DECOMPOSITION_OPTION = StepOption(
    name="Steps",
    step="Steps",
    executor="llm",
    description="Ask a model for the steps of the task.",
    estimate=Spend(tokens=1_200, latency_ms=3_000, tool_calls=1),
    value=0.0,
    output_tokens=600,
)
OUTPUT_LEAST = 200
"""An answer that is shorter holds no two steps."""
DIVISOR = 10
"""The call may take a tenth of the tokens and of the money that are left."""
NOT_ASKED = "no model was asked for steps"
READS_ALL = f"{NOT_ASKED}: a direct answer reads all documents"


def take_task_apart(
    run: NewRun,
    wanted: PlanSteps,
    prompt: Callable[[], str],
    config: RunnableConfig,
    *,
    is_free: bool,
) -> tuple[NewRun, tuple[str, ...]]:
    """The run with the steps that a model gives it, and remarks: why none was asked, what failed,
    and what the steps bring. The very same run where there are no steps.

    Args:
        run: that answers directly so far.
        wanted: `auto`, where it pays; `always`, where a direct answer fits beside it; or `never`.
        prompt: writes what a model is asked.
        config: as the node is told.
        is_free: whether nothing may be spent before there is a plan.
    """
    roles = run.services.models.roles
    if wanted == "never" or run.facts["recipe"] != ANSWER or roles.is_offline:
        return run, ()
    decomposition = _request(run, wanted, prompt, config, is_free)
    if not decomposition.steps:
        return run, decomposition.remarks
    apart = run.taken_apart(decomposition)
    return apart, (*decomposition.remarks, _describe(apart, decomposition))


def _request(
    run: NewRun,
    wanted: PlanSteps,
    prompt: Callable[[], str],
    config: RunnableConfig,
    is_free: bool,
) -> Decomposition:
    """What a model makes of the task. No steps where it is not asked, gives none, or fails."""
    services, roles = run.services, run.services.models.roles
    has_tools = bool(services.executors.registered)
    is_long = tokens_of(run.facts["words"]) > LENGTH_FREE
    if wanted == "auto" and not (has_tools or is_long):
        return Decomposition(remarks=(READS_ALL,) if run.facts["documents"] else ())
    asked = ModelPrompt(roles.cheap, prompt(), tool=DECOMPOSITION_TOOL)
    share = 1 if wanted == "always" else DIVISOR
    call = PlanningCall(asked, DECOMPOSITION_OPTION, DECOMPOSITION_KEY, OUTPUT_LEAST, share)
    beside = 0 if wanted == "always" else 1 if has_tools else 2

    def why_not(left: Budget, worst_case: Spend) -> str:
        return _why_not(run, left, worst_case, beside)

    allowance = allow_planning_call(run, call, why_not, is_free=is_free)
    if isinstance(allowance, str):
        return Decomposition(remarks=(f"{NOT_ASKED}: {allowance}",))
    given = request_decomposition(
        asked, services.models, allowance, services.executors, run.facts["documents"], config
    )
    if given.steps or given.remarks:
        return given
    return Decomposition(remarks=(f"{roles[asked.role].model} was asked for steps, and gave none",))


def _describe(apart: NewRun, decomposition: Decomposition) -> str:
    """What the steps bring, by the plans with and without them."""
    roles, left, count = apart.services.models.roles, apart.left(), len(decomposition.steps)
    planned, direct = apart.plan(left), apart.plan_answer(left)
    steps = f"{roles[roles.cheap].model} took the task apart into {count} steps"
    if planned.value <= direct.value:
        return f"{steps}: none that fits is worth more than a direct answer"
    return f"{steps}: the plan is worth {planned.value:.1f}, a direct answer {direct.value:.1f}"


def _why_not(run: NewRun, left: Budget, worst_case: Spend, beside: int) -> str:
    """Why the call is not worth what it may take. Empty when it is.

    Args:
        run: that would be answered directly.
        left: what may be spent.
        worst_case: the most that the call may take.
        beside: how many steps have to fit beside the direct answer.
    """
    without, then = run.plan(left), left.left_after(worst_case)
    if not without.chosen:
        return "not even a direct answer fits"
    answer = without.chosen[0]
    # Without tools, nobody knows yet what an answer lacks. With them, it finds that out by itself.
    most = VALUE_MAX * max(model_quality(role.name) for role in run.services.models.roles)
    if beside and answer.executor == AGENT and answer.value >= most:
        return f"{answer.name!r} is worth {answer.value:.1f}, and steps {most:.1f} at most"
    if run.plan(then).chosen != without.chosen:
        return f"with what the call may take, {answer.name!r} would no longer fit"
    if then.exceeded_by(total_spend([without.expected, *[_least_step(run)] * beside])):
        more = "another step" if beside == 1 else f"{beside} steps"
        return f"{more} would not fit beside {answer.name!r}"
    return ""


def _least_step(run: NewRun) -> Spend:
    """What a step takes at the least: about what the shortest request and answer take."""
    asked = (o.estimate for step in run.estimated for o in step.options if o.executor == LLM)
    return min(asked, key=lambda estimate: estimate.tokens, default=Spend())

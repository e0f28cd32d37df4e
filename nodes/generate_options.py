"""Opens a run, chooses its recipe, and gathers the ways to do its work."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NotRequired

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from thrifty.budget import Budget, Step, validate
from thrifty.budget.decision import Decision
from thrifty.estimates.history import NO_HISTORY, read_history
from thrifty.executors.results import ResultState
from thrifty.models.roles.agent_models import ModelPrompt
from thrifty.models.roles.asked import Asked
from thrifty.nodes.context import Context
from thrifty.nodes.state import Input
from thrifty.options.proposal_request import describe_steps, describe_values
from thrifty.options.proposals import NO_PROPOSALS, PROPOSAL_TOOL, Proposals
from thrifty.options.recipe import ANSWER
from thrifty.options.recipes import RecipeChoice
from thrifty.prompts import check_prompts, render_prompt
from thrifty.prompts.steps_request import steps_request
from thrifty.run.ask_for_steps import take_task_apart
from thrifty.run.extra_steps import request_extra_steps
from thrifty.run.facts import Run
from thrifty.run.fit_conversation import fit_conversation
from thrifty.run.new_run import NewRun
from thrifty.run.open_account import open_account
from thrifty.run.run_input import RunInput, read_run_input
from thrifty.run.services import Services

OUT_OF_REACH = "models are out of reach"
LOCAL_DOES_IT = f"{OUT_OF_REACH}, local executors do the work"


class GenerateInput(Input):
    """What this node reads: the input, and the run that the thread saw before."""

    run: NotRequired[Run]


def generate_options(
    state: GenerateInput, runtime: Runtime[Context], config: RunnableConfig, *, services: Services
) -> dict[str, Any]:
    """Starts a run, with nothing of an earlier run on the same thread.

    Raises:
        InvalidInput: the task, the budget, the recipe, a model role or a prompt cannot be used.
            Nothing was spent.
        LeaseLost: another invocation is doing this very run.
    """
    context = Context.of(runtime.context)
    check_prompts(context.prompts)
    if context.model:
        services.models.roles.check("context.model", context.model)
    number = validate.amount("run.number", state["run"]["number"]) + 1 if "run" in state else 1
    budget_of = partial(_budget_of, context=context, services=services)
    steps_of = partial(_steps_of, wanted=context.recipe, services=services)
    given = read_run_input(state, budget_of, steps_of, config)
    chosen = services.recipes.choose(given.task, context.recipe)
    checkpoint = runtime.execution_info.checkpoint_id if runtime.execution_info else ""
    accepted, run_id = open_account(given, chosen.name, number, config, checkpoint, services)
    with services.runs.track_node(run_id, lambda: 0):
        # The account is open now, so that its lease can be taken.
        fitted = fit_conversation(accepted, given, run_id, context, services)
        store = runtime.store if context.learn else None
        history = NO_HISTORY if store is None else read_history(store)
        run = NewRun(fitted.run, run_id, context, services, history, given.documents)
        run, told = _take_apart(run, given, context, config)
        proposals = _proposals(run, context, config)
        remarks = [fitted.remark, run.learning_remark, *told, *proposals.remarks]
        started = _first_state(run, proposals, _decisions(chosen, remarks, run), context)
    documents = {name: ResultState(text=t, data=None) for name, t in given.documents.items()}
    given_now = {"documents": None, "results": documents, "kept_out": {**fitted.kept_out}}
    return {**started, **given_now}


def _take_apart(
    run: NewRun, given: RunInput, context: Context, config: RunnableConfig
) -> tuple[NewRun, tuple[str, ...]]:
    """The run with the steps that a model gives it, and remarks."""

    def prompt() -> str:
        executors = run.services.executors
        return steps_request(context.decompose_prompt, given.task, executors, given.documents)

    is_free = context.approve_plan
    return take_task_apart(run, context.plan_steps, prompt, config, is_free=is_free)


def _budget_of(task: str, context: Context, services: Services) -> Budget:
    """The budget of a run whose input has none."""
    recipe = services.recipes.choose(task, context.recipe).name
    return context.budget or services.budget or services.recipes.budget(recipe)


def _steps_of(task: str, wanted: str, services: Services) -> Sequence[Step]:
    """The steps of the recipe that a task follows. Nothing is known of its length yet."""
    return services.recipes.steps(services.recipes.choose(task, wanted).name, Asked(0))


def _proposals(run: NewRun, context: Context, config: RunnableConfig) -> Proposals:
    """The extra steps that a model proposes. Nothing is added to a direct answer."""
    roles = run.services.models.roles
    role = roles[context.model or roles.cheap]
    if run.facts["recipe"] == ANSWER or roles.is_offline or not context.propose_options:
        return NO_PROPOSALS
    values = {
        "task": run.facts["task"],
        "known": describe_steps(run.steps),
        "executors": ", ".join(sorted(run.services.executors.names)),
        "values": describe_values(run.steps),
    }
    text = render_prompt(context.propose_prompt, values)
    prompt = ModelPrompt(role.name, text, tool=PROPOSAL_TOOL)
    return request_extra_steps(run, prompt, config, is_free=context.approve_plan)


def _decisions(chosen: RecipeChoice, remarks: list[str], run: NewRun) -> list[Decision]:
    at_ms = run.spent().latency_ms
    decisions = [Decision("options", remark, at_ms) for remark in remarks if remark]
    if chosen.reason:
        decisions = [Decision("recipe", chosen.reason), *decisions]
    roles = run.services.models.roles
    if not roles.is_offline:
        return decisions
    then = OUT_OF_REACH if chosen.name == ANSWER else LOCAL_DOES_IT
    return [Decision("offline", f"{roles.offline_reason}: {then}"), *decisions]


def _first_state(
    run: NewRun, proposals: Proposals, decisions: list[Decision], context: Context
) -> dict[str, Any]:
    cache = run.services.cache(run.id)
    return {
        # Else the next run on this thread would inherit them.
        "task": None,
        "budget": None,
        "words": None,
        "run_id": None,
        "run": run.facts,
        "proposed": cache.write_all(proposals.steps),
        "first_plan": None,
        # These grow by what is returned. The earlier run's are left behind.
        "outcomes": Overwrite([]),
        "decisions": Overwrite(cache.write_all(decisions)),
        "revision": 0,
        "seen": 0,
        "halt_reason": "",
        "left_out": [],
        "learned": cache.write(run.learned),
        "is_approved": not context.approve_plan,
        "status": "running",
        "draft": "",
        "answer": "",
        "spend": run.spent().to_state(),
    }

"""Opens a run and gathers the ways to do its work."""

from typing import Any, NotRequired

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from thrifty.budget import BudgetExceeded, PriceUnknown, validate
from thrifty.budget.decision import Decision
from thrifty.executors.results import ResultState
from thrifty.executors.step_limit import call_limit
from thrifty.ledger.idempotent_calls import earlier_limit
from thrifty.models.agent_models import ModelPrompt
from thrifty.models.allowance import Allowance
from thrifty.nodes.context import Context
from thrifty.nodes.state import Input
from thrifty.options.proposal_request import (
    PROPOSAL_OPTION,
    describe_steps,
    describe_values,
    request_proposals,
    skip_reason,
)
from thrifty.options.proposals import PROPOSAL_TOOL, Proposals
from thrifty.prompts import check_prompts, render_prompt
from thrifty.run.current_run import model_access
from thrifty.run.facts import Run
from thrifty.run.learning import recall
from thrifty.run.open_account import open_account
from thrifty.run.run_input import read_run_input
from thrifty.run.services import Services

PROPOSAL_KEY = "proposals"
"""The key of the call in the run's own account."""
NOT_ASKED = "extra steps were not asked for"
FREE_PLAN = "a plan that is to be approved is made before anything is spent"
OFFLINE = "no key and no server: models are out of reach, local executors do the work"


class GenerateInput(Input):
    """What this node reads: the input, and the run that the thread saw before."""

    run: NotRequired[Run]


def generate_options(
    state: GenerateInput, runtime: Runtime[Context], config: RunnableConfig, *, services: Services
) -> dict[str, Any]:
    """Starts a run, with nothing of an earlier run on the same thread.

    Raises:
        InvalidInput: the task, the budget, a model role or a prompt cannot be used. Nothing was
            spent.
        LeaseLost: another invocation is doing this very run.
    """
    context = Context.of(runtime.context)
    check_prompts(context.prompts)
    if context.model:
        services.models.roles.check("context.model", context.model)
    number = validate.amount("run.number", state["run"]["number"]) + 1 if "run" in state else 1
    default = context.budget or services.budget
    given = read_run_input(state, default, services.steps, config)
    checkpoint = runtime.execution_info.checkpoint_id if runtime.execution_info else ""
    run, run_id = open_account(given, number, config, checkpoint, services)
    with services.runs.track_node(run_id, lambda: 0):
        # The account is open now, so that its lease can be taken.
        started = _start(run, run_id, context, runtime, config, services)
    documents = {name: ResultState(text=t, data=None) for name, t in given.documents.items()}
    return {**started, "documents": None, "results": documents}


def _start(
    run: Run,
    run_id: str,
    context: Context,
    runtime: Runtime[Context],
    config: RunnableConfig,
    services: Services,
) -> dict[str, Any]:
    store = runtime.store if context.learn else None
    learned, remark = recall(store, services.steps, model_access(run_id, context, services))
    proposals = _proposals(run, run_id, context, config, services)
    cache, spent = services.cache(run_id), services.spend(run_id, 0)
    decisions = [Decision("options", text, spent.latency_ms) for text in proposals.remarks]
    if services.models.roles.is_offline:
        decisions = [Decision("offline", OFFLINE)]  # nothing was proposed then
    if remark:
        decisions = [Decision("options", remark), *decisions]
    return {
        # Else the next run on this thread would inherit them.
        "task": None,
        "budget": None,
        "run_id": None,
        "run": run,
        "proposed": cache.write_all(proposals.steps),
        "first_plan": None,
        # These grow by what is returned. The earlier run's are left behind.
        "outcomes": Overwrite([]),
        "decisions": Overwrite(cache.write_all(decisions)),
        "revision": 0,
        "seen": 0,
        "kept_out": {},
        "halt_reason": "",
        "left_out": [],
        "learned": cache.write(learned),
        "is_approved": not context.approve_plan,
        "status": "running",
        "draft": "",
        "spend": spent.to_state(),
    }


def _proposals(
    run: Run, run_id: str, context: Context, config: RunnableConfig, services: Services
) -> Proposals:
    """The extra steps that a model proposes, where one is at hand and the budget can bear it."""
    roles = services.models.roles
    role = roles[context.model or roles.cheap]
    if roles.is_offline or not context.propose_options:
        return Proposals((), ())
    reason = FREE_PLAN if context.approve_plan else skip_reason(services.limits(run_id))
    if reason := role.offline_reason or reason:
        return Proposals((), (f"{NOT_ASKED}: {reason}",))
    left = services.remaining_budget(run_id, 0)
    account = services.account(run_id)
    try:
        # A run that begins again finds what it asked the first time, with the same limit.
        limit = earlier_limit(services.ledger, account, PROPOSAL_KEY)
        limit = limit or call_limit(PROPOSAL_OPTION, left, role.model, role.prices)
    except (BudgetExceeded, PriceUnknown) as error:
        return Proposals((), (f"{NOT_ASKED}: {error}",))
    allowance = Allowance(
        ledger=services.ledger,
        account=account,
        key=PROPOSAL_KEY,
        label=PROPOSAL_OPTION.name,
        limit=limit,
        left_ms=lambda limits: services.remaining_ms(run_id, 0, limits),
    )
    known, executors = services.steps, services.executors.names
    values = {
        "task": run["task"],
        "known": describe_steps(known),
        "executors": ", ".join(sorted(executors)),
        "values": describe_values(known),
    }
    text = render_prompt(context.propose_prompt, values)
    prompt = ModelPrompt(role.name, text, tool=PROPOSAL_TOOL)
    return request_proposals(prompt, services.models, allowance, known, executors, config)

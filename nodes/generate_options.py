"""Opens a run and gathers the ways to do its work."""

from typing import Any, NotRequired

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from thrifty.budget import Budget, BudgetExceeded, LeaseLost, PriceUnknown
from thrifty.budget.decision import Decision
from thrifty.executors.proposals import PROPOSAL_TOOL, Proposals
from thrifty.executors.propose import PROPOSALS, known_steps, propose, too_dear, values
from thrifty.executors.step_limit import call_limit
from thrifty.ledger.share import open_share
from thrifty.models.agent_models import ModelPrompt
from thrifty.models.allowance import Allowance
from thrifty.models.guard.step_account import current_account
from thrifty.nodes.context import Context
from thrifty.nodes.learning import recall
from thrifty.nodes.outlook import terms_of
from thrifty.nodes.request import read_request
from thrifty.nodes.services import Services
from thrifty.nodes.state import Input, Run
from thrifty.prompts import check_prompts, render

FREE_PLAN = "a plan that is to be approved is made before anything is spent"
OFFLINE = "no key and no server: models are out of reach, local executors do the work"


class Asked(Input):
    """What this node reads: the input, and the run that the thread saw before."""

    run: NotRequired[Run]


def generate_options(
    state: Asked, runtime: Runtime[Context], config: RunnableConfig, *, services: Services
) -> dict[str, Any]:
    """Starts a run, with nothing of an earlier run on the same thread.

    Raises:
        InvalidInput: the task, the budget or a prompt cannot be used; nothing was spent.
        LeaseLost: another invocation is doing this very run.
    """
    context = Context.of(runtime.context)
    check_prompts(context.prompts)
    number = state["run"]["number"] + 1 if "run" in state else 1
    run = _opened(read_request(state, number, context, services.budget, config), config, services)
    with services.runs.node(run["id"], lambda: 0):
        return _started(run, context, runtime, config, services)


def _opened(run: Run, config: RunnableConfig, services: Services) -> Run:
    """The run with an account of its own, or with its share of one that several runs use.

    Inside a step of another run, it gets no more than that step has left.
    """
    budget = Budget.from_state(run["budget"])
    if outer := current_account():
        budget = budget.tighter(outer.left)
    if services.common is None:
        _open(run["id"], budget, services)
        return {**run, "budget": budget.to_state()}
    common = services.common(config)
    share = open_share(services.ledger, common, run["id"], budget).budget
    return {**run, "common": common, "budget": share.to_state()}


def _open(run_id: str, budget: Budget, services: Services) -> None:
    """Opens the account of a run or, where one that was killed is asked for again, finds it."""
    try:
        services.ledger.open(run_id, budget)
    except LeaseLost:  # its limits change, which only who has taken it over may do
        with services.runs.node(run_id, lambda: 0):
            services.ledger.open(services.account(run_id), budget)


def _started(
    run: Run,
    context: Context,
    runtime: Runtime[Context],
    config: RunnableConfig,
    services: Services,
) -> dict[str, Any]:
    learned, told = recall(runtime, context, terms_of(run, context, services), services)
    proposals = _proposals(run, context, config, services)
    spent = services.spent(run["id"], 0)
    decisions = [Decision("options", remark, spent.latency_ms) for remark in proposals.remarks]
    if services.models.is_offline:
        decisions = [Decision("offline", OFFLINE)]
    if told:
        decisions = [Decision("options", told), *decisions]
    return {
        "task": None,
        "budget": None,
        "run_id": None,
        "run": run,
        "proposed": [step.to_state() for step in proposals.steps],
        "first_plan": None,
        "outcomes": Overwrite([]),
        "decisions": Overwrite([decision.to_state() for decision in decisions]),
        "revision": 0,
        "seen": 0,
        "halt_reason": "",
        "left_out": [],
        "learned": learned.to_state(),
        "is_approved": not context.approve_plan,
        "status": "running",
        "draft": "",
        "spend": spent.to_state(),
    }


def _proposals(run: Run, context: Context, config: RunnableConfig, services: Services) -> Proposals:
    """The extra steps that a model proposes, where one is at hand and the budget can bear it."""
    if services.models.is_offline or not context.propose_options:
        return Proposals((), ())
    if context.approve_plan:
        return Proposals((), (f"extra steps were not asked for: {FREE_PLAN}",))
    if reason := too_dear(Budget.from_state(run["budget"])):
        return Proposals((), (f"extra steps were not asked for: {reason}",))
    left = services.left(run["id"], 0)
    try:
        limit = call_limit(PROPOSALS, left, context.proposal_model, services.models.prices)
    except (BudgetExceeded, PriceUnknown) as error:
        return Proposals((), (f"extra steps were not asked for: {error}",))
    allowance = Allowance(
        ledger=services.ledger,
        account=services.account(run["id"]),
        key=f"{run['id']}/proposals",
        label=PROPOSALS.name,
        limit=limit,
        left_ms=lambda: services.left_ms(run["id"], 0),
    )
    prompt = ModelPrompt(
        context.proposal_model, _prompt(run, context, services), tool=PROPOSAL_TOOL
    )
    known, names = services.steps, services.executors.names
    return propose(prompt, services.models, allowance, known, names, config)


def _prompt(run: Run, context: Context, services: Services) -> str:
    return render(
        context.propose_prompt,
        {
            "task": run["task"],
            "known": known_steps(services.steps),
            "executors": ", ".join(sorted(services.executors.names)),
            "values": values(services.steps),
        },
    )

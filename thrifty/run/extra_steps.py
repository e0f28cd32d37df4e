"""Asks a model for extra steps of a recipe, where the plan of a run loses nothing by it."""

from dataclasses import replace

from langchain_core.runnables import RunnableConfig

from thrifty.budget import Budget, BudgetExceeded, PriceUnknown
from thrifty.executors.step_estimate import add_input
from thrifty.executors.step_limit import CallSize, call_limit
from thrifty.ledger.idempotent_calls import earlier_limit
from thrifty.models.calls.allowance import Allowance
from thrifty.models.roles.agent_models import ModelPrompt
from thrifty.models.roles.model_role import ModelRole
from thrifty.options.proposal_request import PROPOSAL_OPTION, request_proposals, skip_reason
from thrifty.options.proposals import Proposals
from thrifty.run.new_run import NewRun

PROPOSAL_KEY = "proposals"
"""The key of the call in the run's own account."""
PROPOSAL_MS_MAX = 3 * PROPOSAL_OPTION.estimate.latency_ms
"""After so long the call is cut, where the run's time is limited."""
NOT_ASKED = "extra steps were not asked for"
FREE_PLAN = "a plan that is to be approved is made before anything is spent"


def request_extra_steps(
    run: NewRun, prompt: ModelPrompt, config: RunnableConfig, *, is_free: bool
) -> Proposals:
    """What a model proposes. Why it was not asked is a remark, and so is what failed.

    Args:
        run: whose steps are known, and whose plan must not be worth less for the call.
        prompt: what it is asked.
        config: as the node is told.
        is_free: whether nothing may be spent before there is a plan.
    """
    services, account = run.services, run.services.account(run.id)
    role = services.models.roles[prompt.role]
    if reason := _why_not(role, run.left(), is_free=is_free):
        return Proposals((), (f"{NOT_ASKED}: {reason}",))
    # A run that begins again finds what it asked the first time, with the same limit.
    limit = earlier_limit(services.ledger, account, PROPOSAL_KEY)
    if limit is None:
        left, sent = run.left(), prompt.input_tokens(role)
        option = add_input(PROPOSAL_OPTION, sent, role.output_tokens_least, role.uses)
        written = role.uses.cap_within(option.estimate.tokens, sent)
        size = CallSize(
            role.model, sent, output_least=written, output_expected=written, uses=role.uses
        )
        try:
            limit = call_limit(option, size, left, role.prices)
        except (BudgetExceeded, PriceUnknown) as error:
            return Proposals((), (f"{NOT_ASKED}: {error}",))
        worst_case = replace(limit, latency_ms=PROPOSAL_MS_MAX)
        if reason := skip_reason(left, worst_case, run.plan):
            return Proposals((), (f"{NOT_ASKED}: {reason}",))

    def left_ms(limits: Budget) -> int | None:
        remaining_ms = services.remaining_ms(run.id, 0, limits)
        return None if remaining_ms is None else min(remaining_ms, PROPOSAL_MS_MAX)

    allowance = Allowance(
        ledger=services.ledger,
        account=account,
        key=PROPOSAL_KEY,
        label=PROPOSAL_OPTION.name,
        limit=limit,
        left_ms=left_ms,
        attempts_max=1,  # what it may take in all is what the plan was held against
    )
    names = services.executors.names
    return request_proposals(prompt, services.models, allowance, run.steps, names, config)


def _why_not(role: ModelRole, left: Budget, *, is_free: bool) -> str:
    """Why a model is not asked, whatever that would cost; empty where it may be."""
    fee = "" if left.max_cost_usd is None else role.undeclared_fee
    return role.offline_reason or (FREE_PLAN if is_free else fee)

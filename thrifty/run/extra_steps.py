"""Asks a model for extra steps of a recipe, where the plan of a run loses nothing by it."""

from langchain_core.runnables import RunnableConfig

from thrifty.budget import Budget, Spend
from thrifty.models.roles.agent_models import ModelPrompt
from thrifty.options.proposal_request import PROPOSAL_OPTION, request_proposals, skip_reason
from thrifty.options.proposals import Proposals
from thrifty.run.allow_planning_call import allow_planning_call
from thrifty.run.new_run import NewRun
from thrifty.run.planning_call import PlanningCall

PROPOSAL_KEY = "proposals"
"""The key of the call in the run's own account."""
NOT_ASKED = "extra steps were not asked for"


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
    call = PlanningCall(prompt, PROPOSAL_OPTION, PROPOSAL_KEY)

    def why_not(left: Budget, worst_case: Spend) -> str:
        return skip_reason(left, worst_case, run.plans.plan)

    allowance = allow_planning_call(run, call, why_not, is_free=is_free)
    if isinstance(allowance, str):
        return Proposals((), (f"{NOT_ASKED}: {allowance}",))
    services = run.services
    names = services.executors.names
    return request_proposals(prompt, services.models, allowance, run.steps, names, config)

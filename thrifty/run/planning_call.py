"""A call that helps a run to plan: it is held against the plan that can be made without it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from thrifty.budget import Budget, BudgetExceeded, PriceUnknown, Spend, StepOption
from thrifty.budget.resources import COST, TOKENS, format_amounts
from thrifty.executors.step_estimate import add_input
from thrifty.executors.step_limit import CallSize, call_limit
from thrifty.models.roles.agent_models import ModelPrompt
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.roles.model_roles import ModelRoles

FREE_PLAN = "a plan that is to be approved is made before anything is spent"
MS_FACTOR = 3
"""After so many times what it is expected to take the call is cut, where the run's time is
limited."""

WhyNot = Callable[[Budget, Spend], str]
"""Says why a call is not worth what it may take of what is left. Empty when it is."""


@dataclass(frozen=True, slots=True)
class PlanningCall:
    """Who is asked what, and under which key the run's account has it."""

    prompt: ModelPrompt
    option: StepOption
    """What it is expected to take beside its prompt."""
    key: str
    output_least: int | None = None
    """The shortest answer that is worth the call. None: all that is expected."""
    divisor: int = 1
    """It may take this part of the tokens and of the money that are left."""

    def describe_shortage(self, missing: Mapping[str, int]) -> str:
        """Why the call does not fit, and by how much the budget would have to be larger.

        Args:
            missing: by resource, what its share is short of.
        """
        short = f"the call needs {format_amounts(missing)} more than"
        if self.divisor == 1:
            return f"{short} is left"
        shared = {r.name: self.divisor for r in (TOKENS, COST)}
        more = {name: amount * shared.get(name, 1) for name, amount in missing.items()}
        allowed = f"it may take (1/{self.divisor} of what is left)"
        return f"{short} {allowed}, so the budget is {format_amounts(more)} too small"

    @property
    def ms_max(self) -> int:
        """The most time that it may take."""
        return MS_FACTOR * self.option.estimate.latency_ms


def weigh_planning_call(
    call: PlanningCall,
    roles: ModelRoles,
    left: Budget,
    why_not: WhyNot,
    *,
    is_free: bool,
    earlier: Spend | None = None,
) -> Spend | str:
    """The most that a call may take but for its time, or why it is not made.

    Args:
        call: what is asked.
        roles: the deployment's models.
        left: what may be spent.
        why_not: says why it is not worth that.
        is_free: whether nothing may be spent before there is a plan.
        earlier: what it might take when it was made before.
    """
    role = roles[call.prompt.role]
    if reason := _why_never(role, left, is_free=is_free):
        return reason
    if earlier is not None:
        return earlier
    try:
        limit = _limit(call, role, left)
    except BudgetExceeded as error:
        return call.describe_shortage(error.missing)
    except PriceUnknown as error:
        return str(error)
    return why_not(left, replace(limit, latency_ms=call.ms_max)) or limit


def _limit(call: PlanningCall, role: ModelRole, left: Budget) -> Spend:
    """The most that the call may take.

    Raises:
        BudgetExceeded: its share of what is left does not hold it, by so much.
        PriceUnknown: money is limited and the model has no price.
    """
    sent = call.prompt.input_tokens(role)
    option = add_input(call.option, sent, role.output_tokens_least, role.uses)
    written = role.uses.cap_within(option.estimate.tokens, sent)
    least = written if call.output_least is None else call.output_least
    size = CallSize(
        role.model,
        sent,
        output_least=max(least, role.output_tokens_least),
        output_expected=written,
        uses=role.uses,
    )
    return call_limit(option, size, _share(left, call.divisor), role.prices)


def _why_never(role: ModelRole, left: Budget, *, is_free: bool) -> str:
    """Why a model is not asked, whatever that would cost. Empty where it may be."""
    fee = "" if left.max_cost_usd is None else role.undeclared_fee
    return role.offline_reason or (FREE_PLAN if is_free else fee)


def _share(left: Budget, divisor: int) -> Budget:
    """A part of the tokens and of the money that are left, with all of the rest."""
    tokens, cost, latency_ms, calls = left.limits
    parts = (None if limit is None else limit // divisor for limit in (tokens, cost))
    return Budget.of_limits((*parts, latency_ms, calls))

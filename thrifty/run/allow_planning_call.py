"""Allows a call that helps a run to plan to spend from the run's account."""

from thrifty.budget import Budget, Spend
from thrifty.ledger.idempotent_calls import earlier_limit
from thrifty.models.calls.allowance import Allowance
from thrifty.run.new_run import NewRun
from thrifty.run.planning_call import PlanningCall, WhyNot, weigh_planning_call


def allow_planning_call(
    run: NewRun, call: PlanningCall, why_not: WhyNot, *, is_free: bool
) -> Allowance | str:
    """What the call may take, or why it is not made.

    Args:
        run: whose plan it is for.
        call: what is asked.
        why_not: says why the call is not worth what it may take.
        is_free: whether nothing may be spent before there is a plan.
    """
    services, account = run.services, run.services.account(run.id)
    # A run that begins again finds what it asked the first time, with the same limit.
    earlier = earlier_limit(services.ledger, account, call.key)
    roles, left = services.models.roles, run.left()
    limit = weigh_planning_call(call, roles, left, why_not, is_free=is_free, earlier=earlier)
    return limit if isinstance(limit, str) else _allowance(run, call, limit)


def _allowance(run: NewRun, call: PlanningCall, limit: Spend) -> Allowance:
    services = run.services

    def left_ms(limits: Budget) -> int | None:
        remaining_ms = services.remaining_ms(run.id, 0, limits)
        return None if remaining_ms is None else min(remaining_ms, call.ms_max)

    return Allowance(
        ledger=services.ledger,
        account=services.account(run.id),
        key=call.key,
        label=call.option.name,
        limit=limit,
        left_ms=left_ms,
        attempts_max=1,  # what it may take in all is what the plan was held against
    )

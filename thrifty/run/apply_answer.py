"""What a person's answer changes: the limits in the ledger, and the state of the run."""

from collections.abc import Mapping
from typing import Any

from thrifty.budget import Budget, InvalidInput
from thrifty.budget.resources import format_amounts
from thrifty.ledger.protocol import Ledger
from thrifty.run.question import ApprovalAnswer


def apply_answer(
    answer: ApprovalAnswer, state: Mapping[str, Any], run_id: str, ledger: Ledger
) -> dict[str, Any]:
    """Raises the run's limits where the answer does.

    Args:
        answer: what the person said.
        state: of the run.
        run_id: the run's account.
        ledger: where the limits are.

    Returns:
        The update of the state: what is left out, and the run with its new limits.

    Raises:
        InvalidInput: more is spent already.
    """
    update: dict[str, Any] = {"left_out": [*state["left_out"], *answer.leave_out]}
    if answer.budget:
        _set_limits(ledger, run_id, answer.budget)  # first: it may refuse
        update["run"] = {**state["run"], "budget": answer.budget.to_state()}
    return update


def _set_limits(ledger: Ledger, run_id: str, budget: Budget) -> None:
    if excess := budget.exceeded_by(ledger.balance(run_id).spent):
        remedy = f"allow what is spent already: this is {format_amounts(excess)} short of it"
        raise InvalidInput("budget", budget.to_state(), remedy)
    ledger.set_limits(run_id, budget)

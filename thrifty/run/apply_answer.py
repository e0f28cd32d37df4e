"""What a person's answer changes: the limits in the ledger, and the state of the run."""

from collections.abc import Mapping
from typing import Any

from thrifty.ledger.protocol import Ledger
from thrifty.ledger.share import extend_share
from thrifty.run.question import ApprovalAnswer


def apply_answer(
    answer: ApprovalAnswer, state: Mapping[str, Any], ledger: Ledger
) -> dict[str, Any]:
    """Raises the run's limits where the answer does.

    Returns:
        The update of the state: what is left out, and the run with its new limits.

    Raises:
        InvalidInput: more is spent already, or the run gave its share of an account back.
        BudgetExceeded: an account that runs share has not got so much.
    """
    update: dict[str, Any] = {"left_out": [*state["left_out"], *answer.leave_out]}
    if answer.budget:
        run = state["run"]
        extend_share(ledger, run["id"], answer.budget)  # first: it may refuse
        update["run"] = {**run, "budget": answer.budget.to_state()}
    return update

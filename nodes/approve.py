"""Asks a person: raise the budget, leave something out, go on, or finish with what there is."""

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from thrifty.budget import (
    Budget,
    BudgetExceeded,
    InvalidInput,
    Plan,
    total,
)
from thrifty.budget.decision import Decision
from thrifty.budget.states import DecisionState, PlanState
from thrifty.ledger.share import extend_share
from thrifty.nodes.context import Context
from thrifty.nodes.outlook import Facts, all_steps, outlook
from thrifty.nodes.question import REMEDY, Buys, Question, read_answer, todo
from thrifty.nodes.services import Services
from thrifty.planning.purchase import Purchase, purchase
from thrifty.planning.rest import still_to_do

ABOUT_PLAN = "Is this plan to be carried out?"
ABOUT_BUDGET = "The budget does not hold the rest of the plan. Raise it, or finish?"


class Asking(Facts):
    """What this node reads."""

    plan: PlanState
    decisions: list[DecisionState]
    is_approved: bool


def approve(state: Asking, runtime: Runtime[Context], *, services: Services) -> dict[str, Any]:
    """Waits, without counting the time, until an answer comes that can be used."""
    question = _question(state, Context.of(runtime.context), services)
    while True:
        answer = interrupt(question)
        try:
            return _acted_on(answer, state, services)
        except (InvalidInput, BudgetExceeded) as error:
            question = {**question, "error": str(error)}


def _question(state: Asking, context: Context, services: Services) -> Question:
    problem, _ = outlook(state, context, services)
    rest = still_to_do(Plan.from_state(state["plan"]), problem)
    budget = services.limits(state["run"]["id"])
    missing = problem.left.exceeded_by(total(option.estimate for option in rest))
    return Question(
        about="budget" if state["is_approved"] else "plan",
        question=ABOUT_BUDGET if state["is_approved"] else ABOUT_PLAN,
        reason=state["decisions"][-1]["reason"],
        budget=budget.to_state(),
        spent=state["spend"],
        left=problem.left.to_state(),
        to_do=[todo(option) for option in rest],
        missing=missing,
        buys=_bought(budget, purchase(problem, rest, context.engine)) if missing else None,
        answers=REMEDY,
    )


def _bought(budget: Budget, bought: Purchase) -> Buys:
    changed = budget.raised_by(bought.more).named(bought.more)
    return Buys(budget=changed, more=bought.more, value=bought.value, options=list(bought.options))


def _acted_on(given: object, state: Asking, services: Services) -> dict[str, Any]:
    """Where the run goes on after an answer.

    Raises:
        InvalidInput: the answer says nothing that can be done.
        BudgetExceeded: an account that runs share has not got what this one is to be given.
    """
    run, steps = state["run"], all_steps(state, services)
    answer = read_answer(given, services.limits(run["id"]), steps)
    decision = Decision(
        "halt" if answer.finish else "ask", answer.told, state["spend"]["latency_ms"]
    )
    update: dict[str, Any] = {"decisions": [decision.to_state()], "is_approved": True}
    if answer.finish:
        return {**update, "direction": "finish", "halt_reason": decision.reason}
    if answer.budget:
        extend_share(services.ledger, run["id"], answer.budget)
        update["run"] = {**run, "budget": answer.budget.to_state()}
    if not answer.changes and not state["is_approved"]:
        return {**update, "direction": "route"}
    return {
        **update,
        "direction": "plan",
        "is_approved": state["is_approved"],  # a changed plan is shown once more
        "left_out": [*state["left_out"], *answer.leave_out],
    }

"""Asks a person: raise the budget, leave something out, go on, or finish with what there is."""

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from thrifty.budget import BudgetExceeded, InvalidInput, Plan
from thrifty.budget.decision import Decision
from thrifty.nodes.context import Context
from thrifty.planning.plan_spend import plan_spend
from thrifty.planning.raise_budget import find_budget_raise
from thrifty.run.apply_answer import apply_answer
from thrifty.run.current_run import CurrentRun
from thrifty.run.facts import RunFacts
from thrifty.run.question import ANSWER_FORMS, OpenStep, Question, RaiseOffer, read_answer
from thrifty.run.services import Services
from thrifty.steering.remaining import remaining_options

ABOUT_PLAN = "Is this plan to be carried out?"
ABOUT_BUDGET = "The budget does not hold the rest of the plan. Raise it, or finish?"


class ApproveInput(RunFacts):
    """What this node reads."""

    is_approved: bool


def approve(
    state: ApproveInput, runtime: Runtime[Context], *, run_id: str, services: Services
) -> dict[str, Any]:
    """Waits, without counting the time, until an answer comes that can be used."""
    context = Context.of(runtime.context)
    run = CurrentRun(state, context, services, run_id)
    question = _question(state, run, context)
    while True:
        # A resume runs this node from its start: each call returns the answer that was given to it.
        answer = interrupt(question)
        try:
            return _next_update(answer, run, state["is_approved"])
        except (InvalidInput, BudgetExceeded) as error:
            question = {**question, "error": str(error)}


def _question(state: ApproveInput, run: CurrentRun, context: Context) -> Question:
    problem, _ = run.problem()
    remaining = remaining_options(run.cache.read(Plan, state["plan"]), problem)
    budget = run.limits
    missing = problem.left.exceeded_by(plan_spend(problem, remaining))
    offer = None
    if missing:
        raised = find_budget_raise(problem, remaining, missing, context.engine)
        more, options = raised.increase, list(raised.options)
        limits = budget.raised_by(more).limits_of(more)
        offer = RaiseOffer(budget=limits, more=more, value=raised.gain, options=options)
    return Question(
        about="budget" if state["is_approved"] else "plan",
        question=ABOUT_BUDGET if state["is_approved"] else ABOUT_PLAN,
        reason=state["decisions"][-1]["reason"],
        budget=budget.to_state(),
        spent=state["spend"],
        left=problem.left.to_state(),
        to_do=[
            OpenStep(
                step=option.step,
                option=option.name,
                executor=option.executor,
                value=option.value,
                estimate=option.estimate.to_state(),
            )
            for option in remaining
        ],
        missing=missing,
        buys=offer,
        answers=ANSWER_FORMS,
    )


def _next_update(given: object, run: CurrentRun, is_approved: bool) -> dict[str, Any]:
    """What an answer changes, and where the run goes on.

    Raises:
        InvalidInput: the answer says nothing that can be done.
    """
    answer = read_answer(given, run.limits, run.steps())
    decision = Decision("halt" if answer.finish else "ask", answer.summary, run.known_ms)
    update: dict[str, Any] = {"decisions": [decision.to_state()], "is_approved": True}
    if answer.finish:
        return {**update, "direction": "finish", "halt_reason": decision.reason}
    update |= apply_answer(answer, run.facts, run.id, run.services.ledger)
    if not (answer.budget or answer.leave_out or is_approved):
        return {**update, "direction": "route"}
    # A plan that was not approved yet is shown once more when it has changed.
    return {**update, "direction": "plan", "is_approved": is_approved}

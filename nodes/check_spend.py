"""Reads the bill after each wave and decides: go on, plan anew, ask, or finish."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from thrifty.budget import Budget, Outcome, Plan, Spend
from thrifty.budget.decision import Decision, DecisionKind
from thrifty.budget.plan import PlanState
from thrifty.nodes.context import Context
from thrifty.nodes.outlook import Facts, outlook
from thrifty.nodes.services import Services
from thrifty.nodes.state import Run
from thrifty.planning.course import Course, Standing, set_course
from thrifty.planning.engines import make_plan
from thrifty.planning.reasons import over

CHECKPOINTER = "__pregel_checkpointer"
"""Where LangGraph tells a node of its checkpointer; a thread alone says nothing, as an Agent
Server gives a thread to stateless runs too."""
KIND_OF: dict[str, DecisionKind] = {"plan": "replan", "approve": "ask", "finish": "halt"}


class Checked(Facts):
    """What this node reads."""

    plan: PlanState
    seen: int


def check_spend(
    state: Checked, runtime: Runtime[Context], config: RunnableConfig, *, services: Services
) -> dict[str, Any]:
    """Compares ledger and plan and sets the course."""
    context = Context.of(runtime.context)
    run = state["run"]
    spent = services.spent(run["id"], state["spend"]["latency_ms"])
    outcomes = tuple(Outcome.from_state(outcome) for outcome in state["outcomes"])
    problem, _ = outlook(state, context, services)
    standing = Standing(
        plan=Plan.from_state(state["plan"]),
        outcomes=outcomes,
        news=outcomes[state["seen"] :],
        problem=problem,
        best=make_plan(problem, context.engine),
        replans_left=context.max_replans - (state["revision"] - 1),
        overrun=_overrun(run, spent, services),
    )
    course = set_course(standing, context.on_drift)
    if course.direction == "approve" and not _can_wait(config):
        course = Course("finish", f"{course.reason}, and nobody can be asked", halts=True)
    decision = Decision(KIND_OF.get(course.direction, "plan"), course.reason, spent.latency_ms)
    return {
        "direction": course.direction,
        "halt_reason": course.reason if course.halts else "",
        "decisions": [decision.to_state()] if course.reason else [],
        "seen": len(outcomes),
        "spend": spent.to_state(),
    }


def _overrun(run: Run, spent: Spend, services: Services) -> str:
    """What went over: a limit of the run, or a call over what it had reserved.

    Time that has run out is no overrun: what is left of it holds no further step.
    """
    if excess := Budget.from_state(run["budget"]).without_latency().exceeded_by(spent):
        return over(excess)
    overruns = (entry for entry in services.ledger.entries(run["id"]) if entry.is_overrun)
    return next((f"{entry.label!r} used more than it was allowed" for entry in overruns), "")


def _can_wait(config: RunnableConfig) -> bool:
    """Whether the run is kept somewhere, so that it can be resumed after a person answered."""
    return config.get("configurable", {}).get(CHECKPOINTER) is not None

"""Picks the steps that are ready, reserves their worst case, and hands them to their executors."""

from typing import Any

from langgraph.runtime import Runtime

from thrifty.budget import Outcome, Plan
from thrifty.budget.decision import Decision
from thrifty.budget.plan import PlanState
from thrifty.executors.dispatch import Desk, Dispatched
from thrifty.executors.draft import compose
from thrifty.nodes.context import Context
from thrifty.nodes.outlook import Facts, all_steps, outlook, terms_of
from thrifty.nodes.services import Services
from thrifty.nodes.state import Assignment
from thrifty.planning.course import remaining
from thrifty.planning.wave import ready_wave


class Routed(Facts):
    """What this node reads."""

    plan: PlanState


def route(state: Routed, runtime: Runtime[Context], *, services: Services) -> dict[str, Any]:
    """Sends the next wave; what no longer fits is downgraded, or skipped with its reason."""
    context, run = Context.of(runtime.context), state["run"]
    outcomes = [Outcome.from_state(outcome) for outcome in state["outcomes"]]
    steps = all_steps(state, services)
    finished = {outcome.step for outcome in outcomes if outcome.has_text}
    rest = remaining(Plan.from_state(state["plan"]), outcomes)
    desk = Desk(
        ledger=services.ledger,
        account=run["id"],
        prefix=f"{run['id']}/{state['revision']}",
        task=run["task"],
        draft=compose(outcomes, steps),
        terms=terms_of(run, context, services),
        left=lambda: services.left(run["id"], state["spend"]["latency_ms"]),
    )
    sent = desk.dispatch(
        ready_wave(rest, steps, finished, context.max_concurrency),
        {step.name: step for step in outlook(state, context, services)[0].steps},
    )
    at_ms = services.clock.active_ms(run["id"], state["spend"]["latency_ms"])
    return {
        "wave": wave_of(sent),
        "outcomes": [outcome.to_state() for outcome in sent.skipped],
        "decisions": [decision.to_state() for decision in decisions_of(sent, at_ms)],
    }


def wave_of(sent: Dispatched) -> list[Assignment]:
    """The assignments as plain data."""
    return [
        Assignment(
            option=assignment.work.option.to_state(),
            key=assignment.key,
            reserved=assignment.reserved.to_state(),
            draft=assignment.work.draft,
            untouched=assignment.untouched,
            revises=assignment.work.revises,
        )
        for assignment in sent.assignments
    ]


def decisions_of(sent: Dispatched, at_ms: int) -> list[Decision]:
    """Where the wave is not what the plan said, and why."""
    moved = [f"{each.step} moved to {each.to!r}: {each.reason}" for each in sent.moved]
    skipped = [f"{each.step} was skipped: {each.reason}" for each in sent.skipped]
    return [
        *(Decision("downgrade", reason, at_ms) for reason in moved),
        *(Decision("skip", reason, at_ms) for reason in skipped),
    ]

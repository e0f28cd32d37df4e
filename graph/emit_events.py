"""Emits the events of a run, read off what a node is given and what it returns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from langgraph.errors import GraphInterrupt
from langgraph.types import StreamWriter

from thrifty.run.events import (
    Decided,
    Ended,
    Event,
    EventBase,
    PlanMade,
    SpendChanged,
    StepFinished,
    StepStarted,
    Waiting,
    event_base,
)
from thrifty.run.services import Services

SPENDING = ("generate_options", "route", "run_llm", "run_local")
"""The nodes after which the balance may be another."""


@dataclass(frozen=True, slots=True)
class EventEmitter:
    """Emits the events of one node's work."""

    node: str
    write: StreamWriter
    services: Services

    def node_started(self, state: Mapping[str, Any]) -> None:
        """Emits that a step begins, where the node does one."""
        if assignment := state.get("assignment"):
            option = assignment["option"]
            started: StepStarted = {
                **event_base(state, self.services),
                "event": "step_started",
                "step": option["step"],
                "option": option["name"],
                "executor": option["executor"],
                "reserved": assignment["reserved"],
            }
            self.write(started)

    def run_interrupted(self, state: Mapping[str, Any], interrupt: GraphInterrupt) -> None:
        """Emits that a person is asked."""
        for question in interrupt.args[0]:
            waiting: Waiting = {
                **event_base(state, self.services),
                "event": "waiting",
                "question": question.value,
            }
            self.write(waiting)

    def node_ended(self, state: Mapping[str, Any], update: Mapping[str, Any]) -> None:
        """Emits what a node brought.

        Args:
            state: what it was given, with the update.
            update: what it returned.
        """
        for event in _events_of(self.node, update, event_base(state, self.services)):
            self.write(event)
        if self.node in SPENDING:
            self.write(self._spend_changed(state))

    def _spend_changed(self, state: Mapping[str, Any]) -> SpendChanged:
        base = event_base(state, self.services)
        balance = self.services.ledger.balance(base["run_id"])
        # The ledger adds up the time of calls, side by side or not. A run tells its active time.
        spent = replace(balance.spent, latency_ms=base["at_ms"])
        # Time is cut at its limit and never reserved.
        reserved = replace(balance.reserved, latency_ms=0)
        return {
            **base,
            "event": "spend_changed",
            "spent": spent.to_state(),
            "reserved": reserved.to_state(),
            "left": balance.budget.left_after(spent + reserved).to_state(),
        }


def _events_of(node: str, update: Mapping[str, Any], base: EventBase) -> Iterator[Event]:
    if node == "plan":
        # The last decision is the plan itself, which has an event of its own.
        *changes, _ = _added(update, "decisions")
        yield from (_decided(decision, base) for decision in changes)
        yield _plan_made(update, base)
    else:
        yield from (_decided(decision, base) for decision in _added(update, "decisions"))
    yield from (_step_finished(outcome, base) for outcome in _added(update, "outcomes"))
    if node == "finish":
        yield _run_ended(update, base)


def _plan_made(update: Mapping[str, Any], base: EventBase) -> PlanMade:
    return {
        **base,
        "event": "plan_made" if update["revision"] == 1 else "replanned",
        "plan": update["plan"],
        "revision": update["revision"],
        "reason": update["decisions"][-1]["reason"],
    }


def _decided(decision: Mapping[str, Any], base: EventBase) -> Decided:
    kind, reason = decision["kind"], decision["reason"]
    return {**base, "event": "decided", "kind": kind, "reason": reason}


def _step_finished(outcome: Mapping[str, Any], base: EventBase) -> StepFinished:
    option = outcome["option"]
    return {
        **base,
        "event": "step_finished",
        "step": option["step"],
        "option": option["name"],
        "executor": option["executor"],
        "status": outcome["status"],
        "reason": outcome["reason"],
        "actual": outcome["actual"],
    }


def _run_ended(update: Mapping[str, Any], base: EventBase) -> Ended:
    reason, spent = update["receipt"]["halt_reason"], update["spend"]
    return {**base, "event": update["status"], "reason": reason, "spent": spent}


def _added(update: Mapping[str, Any], channel: str) -> Any:
    """What was added to a channel that grows; LangGraph wraps what starts it afresh."""
    added = update.get(channel, ())
    return getattr(added, "value", added)

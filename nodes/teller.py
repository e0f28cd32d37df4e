"""Tells the events of a run, read off what a node is handed and what it returns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from langgraph.errors import GraphInterrupt
from langgraph.types import StreamWriter

from thrifty.budget import Outcome, StepOption
from thrifty.nodes.events import (
    Decided,
    Ended,
    Event,
    Moment,
    PlanMade,
    SpendChanged,
    StepFinished,
    StepStarted,
    Waiting,
)
from thrifty.nodes.services import Services

SPENDING = ("generate_options", "route", "run_llm", "run_local")
"""The nodes after which the balance may be another."""


@dataclass(frozen=True, slots=True)
class Teller:
    """What one node of a run has to tell."""

    node: str
    write: StreamWriter
    services: Services

    def started(self, state: Mapping[str, Any]) -> None:
        """Tells that a step begins, where the node does one."""
        if assignment := state.get("assignment"):
            option = StepOption.from_state(assignment["option"])
            started: StepStarted = {
                **self._moment(state),
                "event": "step_started",
                "step": option.step,
                "option": option.name,
                "executor": option.executor,
                "reserved": assignment["reserved"],
            }
            self.write(started)

    def waiting(self, state: Mapping[str, Any], interrupt: GraphInterrupt) -> None:
        """Tells that a person is asked."""
        for asked in interrupt.args[0]:
            waits: Waiting = {**self._moment(state), "event": "waiting", "question": asked.value}
            self.write(waits)

    def ended(self, state: Mapping[str, Any], update: Mapping[str, Any]) -> None:
        """Tells what a node brought.

        Args:
            state: what it was handed, with the update.
            update: what it returned.
        """
        for event in _news(self.node, update, self._moment(state)):
            self.write(event)
        if self.node in SPENDING:
            self.write(self._balance(state))

    def _moment(self, state: Mapping[str, Any]) -> Moment:
        return moment_of(state, self.services)

    def _balance(self, state: Mapping[str, Any]) -> SpendChanged:
        moment = self._moment(state)
        balance = self.services.ledger.balance(moment["run_id"])
        spent = replace(balance.spent, latency_ms=moment["at_ms"])
        reserved = replace(balance.reserved, latency_ms=0)
        return {
            **moment,
            "event": "spend_changed",
            "spent": spent.to_state(),
            "reserved": reserved.to_state(),
            "left": balance.budget.left_after(spent + reserved).to_state(),
        }


def moment_of(state: Mapping[str, Any], services: Services) -> Moment:
    """Which run, and how long it has been active by now."""
    run_id = state["run"]["id"]
    at_ms = services.runs.active_ms(run_id, state["spend"]["latency_ms"])
    return {"run_id": run_id, "at_ms": at_ms}


def _news(node: str, update: Mapping[str, Any], moment: Moment) -> Iterator[Event]:
    if node == "plan":
        *changes, _ = _added(update, "decisions")
        yield from (_decided(decision, moment) for decision in changes)
        yield _planned(update, moment)
    else:
        yield from (_decided(decision, moment) for decision in _added(update, "decisions"))
    yield from (_finished(outcome, moment) for outcome in _added(update, "outcomes"))
    if node == "finish":
        yield _ended(update, moment)


def _planned(update: Mapping[str, Any], moment: Moment) -> PlanMade:
    return {
        **moment,
        "event": "plan_made" if update["revision"] == 1 else "replanned",
        "plan": update["plan"],
        "revision": update["revision"],
        "reason": update["decisions"][-1]["reason"],
    }


def _decided(decision: Mapping[str, Any], moment: Moment) -> Decided:
    kind, reason = decision["kind"], decision["reason"]
    return {**moment, "event": "decided", "kind": kind, "reason": reason}


def _finished(state: Mapping[str, Any], moment: Moment) -> StepFinished:
    outcome = Outcome.from_state(state)
    return {
        **moment,
        "event": "step_finished",
        "step": outcome.step,
        "option": outcome.option.name,
        "executor": outcome.option.executor,
        "status": outcome.status,
        "reason": outcome.reason,
        "actual": outcome.actual.to_state(),
    }


def _ended(update: Mapping[str, Any], moment: Moment) -> Ended:
    reason, spent = update["receipt"]["halt_reason"], update["spend"]
    return {**moment, "event": update["status"], "reason": reason, "spent": spent}


def _added(update: Mapping[str, Any], channel: str) -> Any:
    """What was added to a channel that grows; LangGraph wraps what starts it afresh."""
    added = update.get(channel, ())
    return getattr(added, "value", added)

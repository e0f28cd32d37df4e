"""Emits the events of a run, read off what a node is given and what it returns."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from langgraph.errors import GraphInterrupt

from thrifty.run.events import Event, EventBase, SpendChanged, StepNames, event_base
from thrifty.run.services import Services, left_of_run

SPENDING = ("generate_options", "route", "run_llm", "run_local")
"""The nodes after which the balance may be another."""


@dataclass(frozen=True, slots=True)
class EventEmitter:
    """Emits the events of one node's work."""

    node: str
    write: Callable[[Event], None]
    run_id: str
    """The run's account."""
    services: Services

    def node_started(self, state: Mapping[str, Any]) -> None:
        """Emits that a step begins, where the node does one."""
        if assignment := state.get("assignment"):
            step = assignment["option"]["step"]
            if before := self.services.cache(self.run_id).texts.get(step):
                self.write(
                    {
                        **self._base(state),
                        "event": "retracted",
                        "step": step,
                        "option": before.option.name,
                    }
                )
            self.write(
                {
                    **self._base(state),
                    **_step(assignment["option"]),
                    "event": "step_started",
                    "reserved": assignment["reserved"],
                }
            )

    def run_interrupted(self, state: Mapping[str, Any], interrupt: GraphInterrupt) -> None:
        """Emits that a person is asked."""
        base = self._base(state)
        for question in interrupt.args[0]:
            self.write({**base, "event": "waiting", "question": question.value})

    def node_ended(self, state: Mapping[str, Any], update: Mapping[str, Any]) -> None:
        """Emits what a node brought.

        Args:
            state: what it was given, with the update.
            update: what it returned.
        """
        for event in _events_of(self.node, update, self._base(state)):
            self.write(event)
        if self.node in SPENDING:
            self.write(self._spend_changed(state))

    def _base(self, state: Mapping[str, Any]) -> EventBase:
        return event_base(self.run_id, state["spend"]["latency_ms"], self.services)

    def _spend_changed(self, state: Mapping[str, Any]) -> SpendChanged:
        base = self._base(state)
        balance = self.services.ledger.balance(base["run_id"])
        # The ledger adds up the time of calls, side by side or not. An event says active time.
        spent = replace(balance.spent, latency_ms=base["at_ms"])
        # Time is cut at its limit and never reserved.
        reserved = replace(balance.reserved, latency_ms=0)
        return {
            **base,
            "event": "spend_changed",
            "spent": spent.to_state(),
            "reserved": reserved.to_state(),
            "left": left_of_run(balance, base["at_ms"]).to_state(),
        }


def _events_of(node: str, update: Mapping[str, Any], base: EventBase) -> Iterator[Event]:
    decisions, outcomes = _additions(update, "decisions"), _additions(update, "outcomes")
    if node == "plan":
        # The last decision is the plan itself, which has an event of its own.
        *decisions, planned = decisions
    for decision in decisions:
        kind, reason = decision["kind"], decision["reason"]
        yield {**base, "event": "decided", "kind": kind, "reason": reason}
    if node == "plan":
        yield {
            **base,
            "event": "plan_made" if update["revision"] == 1 else "replanned",
            "plan": update["plan"],
            "revision": update["revision"],
            "reason": planned["reason"],
        }
    for outcome in outcomes:
        yield {
            **base,
            **_step(outcome["option"]),
            "event": "step_finished",
            "status": outcome["status"],
            "reason": outcome["reason"],
            "actual": outcome["actual"],
            "checks": outcome["checks"],
        }
    if node == "finish":
        reason, spent = update["receipt"]["halt_reason"], update["spend"]
        yield {**base, "event": update["status"], "reason": reason, "spent": spent}


def _step(option: Mapping[str, Any]) -> StepNames:
    return {"step": option["step"], "option": option["name"], "executor": option["executor"]}


def _additions(update: Mapping[str, Any], channel: str) -> Any:
    """What was added to a channel that grows. LangGraph wraps what starts it afresh."""
    added = update.get(channel, ())
    return getattr(added, "value", added)

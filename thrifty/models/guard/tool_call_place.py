"""Where a call of an agent's tool stands in the ledger, so that it is found again.

An agent of yours names each call in a message of its own, which its checkpoints keep. The agent
of a run's step may be begun anew, perhaps with another model: by a retry, after a crash, by a fork.
So there a call is known by its step, and by what it asks.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.config import get_config

from thrifty.budget.plain_text import single_line
from thrifty.ledger.idempotent_calls import fingerprint
from thrifty.ledger.latest_call import failure_of, is_unknown, known_result, list_calls
from thrifty.ledger.notes import Notes
from thrifty.ledger.records import Entry
from thrifty.models.guard.call_question import FAILED, UNKNOWN

QUOTE_MAX = 200
"""So much of what a call came to is shown to a person who decides on another one, as it is kept."""


@dataclass(frozen=True, slots=True)
class ToolCallPlace:
    """Where a call stands, and what it is for."""

    notes: Notes
    key: str
    """Names calls in the ledger."""
    request: str = ""
    """Which of them it is. Empty where the key names it alone."""
    own: frozenset[str] = frozenset()
    """Those that this agent has asked for itself."""
    step: str = ""
    task: str = ""

    def list_others(self) -> list[Entry]:
        """The calls for the same step that were made by another, or in another attempt."""
        made = list_calls(self.key, self.notes) if self.request else []
        return [entry for entry in made if entry.fingerprint not in self.own]

    def describe_others(self) -> str:
        """What these calls were, and what is known of them, in words. Empty without any."""
        others = self.list_others()
        return f"the step has {_describe(others, self.notes)}" if others else ""


@dataclass(frozen=True, slots=True)
class StepTools:
    """The calls of tools that have effects, in a step of a run."""

    notes: Notes
    key: str
    """Names what is done once for the step."""
    step: str
    task: str

    def list_made(self) -> list[Entry]:
        """Those that were made, in whichever attempt at the step."""
        return [entry for entry in list_calls(self.key, self.notes) if entry.fingerprint]

    def has_unknown(self) -> bool:
        """Whether there is one of which nobody knows whether it happened."""
        return any(is_unknown(entry, self.notes) for entry in self.list_made())

    def describe(self) -> str:
        """What they were, and what is known of them, in words."""
        return _describe(self.list_made(), self.notes)

    def place(self, request: Any, said: int) -> ToolCallPlace:
        """Where a call stands.

        Args:
            request: LangChain's.
            said: how many messages the agent was given: what it asked for comes after them.
        """
        own = list(_name_calls(request.state["messages"][said:]))
        asked = request.tool_call
        # One that is nowhere, as messages were given twice, passes for the first of its kind.
        name = next((name for known, name in own if known == asked["id"]), _name(asked, 1))
        names = frozenset(name for _, name in own)
        notes = Notes(self.notes.ledger, self.notes.account, asked["name"])
        return ToolCallPlace(notes, self.key, name, names, self.step, self.task)


def place_by_message(request: Any, notes: Notes) -> ToolCallPlace:
    """Where a call of an agent stands that keeps its messages: named by the one that asks for it.

    Args:
        request: LangChain's.
        notes: in the account of the agent.
    """
    given = get_config().get("configurable", {})
    # Without a thread nothing is resumed, but a node may be tried again.
    where = given.get("thread_id") or given.get("checkpoint_ns")
    call_id = request.tool_call["id"]
    messages = [m for m in request.state["messages"] if isinstance(m, AIMessage)]
    named = [m.id for m in messages if any(c["id"] == call_id for c in m.tool_calls)]
    name = request.tool_call["name"]
    return ToolCallPlace(notes, f"effects/{fingerprint(where, named[-1:], call_id, name)}")


def _describe(calls: Sequence[Entry], notes: Notes) -> str:
    return "; ".join(_describe_call(entry, notes) for entry in calls)


def _describe_call(entry: Entry, notes: Notes) -> str:
    if kept := entry.answer or known_result(entry, notes):
        known = single_line(kept)[:QUOTE_MAX]
    else:
        known = UNKNOWN if is_unknown(entry, notes) else failure_of(entry, notes) or FAILED
    return f"called {entry.label!r}: {known}"


def _name_calls(messages: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """The ids of the calls that messages ask for, and their names: what is asked, and which of
    those that ask the same it is."""
    asked = [call for m in messages if isinstance(m, AIMessage) for call in m.tool_calls]
    for position, call in enumerate(asked, 1):
        alike = [each for each in asked[:position] if _request(each) == _request(call)]
        yield str(call["id"]), _name(call, len(alike))


def _name(call: Any, number: int) -> str:
    return fingerprint(_request(call), number)


def _request(call: Any) -> str:
    return json.dumps([call["name"], call["args"]], sort_keys=True, default=str)

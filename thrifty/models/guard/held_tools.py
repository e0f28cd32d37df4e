"""Calls of an agent's tools that a person approves, or that are made once.

An agent names each call of a tool in a message of its own, which its checkpoints keep. So a call
is found again when its node runs once more: by a retry, after a crash, or for an answer.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, ToolMessage
from langgraph.config import get_config
from langgraph.errors import GraphBubbleUp

from thrifty.budget import Spend
from thrifty.ledger.idempotent_calls import (
    fingerprint,
    release_call,
    settle_call,
    try_mark_sent,
)
from thrifty.ledger.latest_call import (
    LatestCall,
    allow_again,
    failure_of,
    find_latest_call,
    known_result,
    note_failure,
    note_happened,
)
from thrifty.ledger.notes import Notes
from thrifty.ledger.records import Entry
from thrifty.models.can_interrupt import NOBODY, can_interrupt
from thrifty.models.guard.ask_person import ask_person, skip_answers
from thrifty.models.guard.call_question import (
    APPROVAL_FORMS,
    DONE,
    EFFECT_FORMS,
    FAILED,
    UNKNOWN,
    CallAnswer,
    CallQuestion,
    read_approval,
    read_effect,
)
from thrifty.models.guard.tool_input import check_tool_input

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HeldCall:
    """A call that is to be made, and how it ends."""

    request: Any
    """LangChain's request, perhaps with other arguments."""
    entry: Entry | None
    """In the ledger, of a call that is made once. None for any other."""
    notes: Notes

    def keep(self, answer: T) -> T:
        """Keeps what came of it, and hands it on."""
        if self.entry is not None:
            kept = json.dumps(_read_content(answer), ensure_ascii=False, default=str)
            settle_call(self.notes.ledger, self.notes.account, self.entry, Spend(), kept)
        return answer

    def drop(self, error: Exception) -> None:
        """Closes it where it has raised."""
        if self.entry is None:
            return
        ledger, account = self.notes.ledger, self.notes.account
        if isinstance(error, GraphBubbleUp):  # it asks a person, and is called again for the answer
            release_call(ledger, account, self.entry)
            return
        note_failure(self.entry, f"it raised {type(error).__name__}", self.notes)
        settle_call(ledger, account, self.entry, Spend(), "")  # it may have had its effect


@dataclass(frozen=True, slots=True)
class HeldTools:
    """Which of an agent's tools are held."""

    approve: Collection[str] = ()
    """Those that a person is asked about before each call."""
    effects: Collection[str] = ()
    """Those with effects outside, whose calls are made once."""

    def begin(self, request: Any, notes: Notes) -> HeldCall | ToolMessage:
        """The call to be made, or what the model reads instead.

        Raises:
            GraphInterrupt: a person is asked first.
        """
        name = request.tool_call["name"]
        if name not in self.effects:
            return self._approve(request, LatestCall(_NO_ENTRY), None, notes)
        is_first = True
        while True:
            call = find_latest_call(_key(request), Spend(), "", notes)
            if is_first:
                skip_answers(call.allowed_by)
            is_first = False
            if call.entry.status == "unsent":
                begun = self._approve(request, call, call.entry, notes)
                if isinstance(begun, ToolMessage):
                    release_call(notes.ledger, notes.account, call.entry)
                    return begun
                if try_mark_sent(notes.ledger, notes.account, call.entry):
                    return begun
                call = call.reread(notes)
            if told := _judge(request, call, notes):
                return told

    def _approve(
        self, request: Any, call: LatestCall, entry: Entry | None, notes: Notes
    ) -> HeldCall | ToolMessage:
        if request.tool_call["name"] not in self.approve:
            return HeldCall(request, entry, notes)
        if not can_interrupt(get_config()):
            return _tell(request, f"Not called: it is to be approved first, {NOBODY}.")
        asked = f"Is {request.tool_call['name']!r} to be called?"
        question = _question(request, "call", asked, _describe(request), call, APPROVAL_FORMS)

        def read(given: object) -> HeldCall | ToolMessage:
            answer = read_approval(given)
            if answer.action == "leave_out":
                return _tell(request, "Not called: a person left it out.")
            return HeldCall(_edit(request, answer), entry, notes)

        return ask_person(question, read, notes)[0]


_NO_ENTRY = Entry("", "", "released", Spend())
"""Of a tool that may be called as often as an agent likes."""


def _judge(request: Any, call: LatestCall, notes: Notes) -> ToolMessage | None:
    """What the model reads of a call that was made before. None where it is made again."""
    entry = call.entry
    if kept := entry.answer or known_result(entry, notes):
        content, status = json.loads(kept)
        return _tell(request, content, status)
    is_known = entry.status == "settled"
    known = (failure_of(entry, notes) or FAILED) if is_known else UNKNOWN
    if not can_interrupt(get_config()):
        return _tell(request, f"Not called again: {known}.")
    asked = f"Did {request.tool_call['name']!r} do what it was called for?"
    question = _question(request, "effect", asked, known, call, EFFECT_FORMS)
    answer, mark = ask_person(question, read_effect, notes)
    if answer.action == "leave_out":
        return _tell(request, f"Not called again: {known}; a person left it as it is.")
    if answer.action == "again":
        allow_again(entry, str(mark), notes)
        return None
    note_happened(entry, json.dumps([answer.text or DONE, "success"]), notes)
    return _tell(request, answer.text or DONE, "success")


def _key(request: Any) -> str:
    """Names a call by what an agent's checkpoints keep of it."""
    given = get_config().get("configurable", {})
    # Without a thread nothing is resumed, but a node may be tried again.
    where = given.get("thread_id") or given.get("checkpoint_ns")
    call_id = request.tool_call["id"]
    messages = [m for m in request.state["messages"] if isinstance(m, AIMessage)]
    named = [m.id for m in messages if any(c["id"] == call_id for c in m.tool_calls)]
    name = request.tool_call["name"]
    return f"effects/{fingerprint(where, named[-1:], call_id, name)}"


def _question(
    request: Any, about: Any, asked: str, reason: str, call: LatestCall, forms: str
) -> CallQuestion:
    return CallQuestion(
        about=about,
        question=asked,
        reason=reason,
        executor=request.tool_call["name"],
        step="",
        task="",
        attempt=call.attempt,
        input=request.tool_call["args"],
        results={},
        draft="",
        answers=forms,
    )


def _describe(request: Any) -> str:
    return str(getattr(request.tool, "description", "") or "")


def _edit(request: Any, answer: CallAnswer) -> Any:
    """The request with the arguments that a person wants: none that the tool does not take."""
    for edited in answer.edited:
        if request.tool is not None:
            check_tool_input(request.tool, edited, "answer.input")
        return request.override(tool_call={**request.tool_call, "args": edited})
    return request


def _read_content(answer: Any) -> tuple[Any, str]:
    if isinstance(answer, ToolMessage):
        return answer.content, answer.status
    return DONE, "success"  # it has changed the agent's state, which the checkpoints keep


def _tell(request: Any, content: Any, status: Any = "error") -> ToolMessage:
    call = request.tool_call
    return ToolMessage(content, tool_call_id=call["id"], name=call["name"], status=status)

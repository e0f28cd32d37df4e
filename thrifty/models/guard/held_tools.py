"""Calls of an agent's tools that a person approves, or that are made once."""

import json
import logging
from asyncio import to_thread
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from langchain_core.messages import ToolMessage
from langgraph.config import get_config
from langgraph.errors import GraphBubbleUp

from thrifty.budget import LedgerUnavailable, Spend
from thrifty.ledger.idempotent_calls import release_call, settle_call, try_mark_sent
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
from thrifty.models.guard.ask_person import ask_person
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
from thrifty.models.guard.can_interrupt import NOBODY, can_interrupt
from thrifty.models.guard.make_once import make_once
from thrifty.models.guard.tool_call_place import ToolCallPlace
from thrifty.models.guard.tool_input import check_tool_input

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HeldCall:
    """A call that is to be made, and how it ends. Or what the model reads instead."""

    request: Any
    """LangChain's request, perhaps with other arguments."""
    entry: Entry | None
    """In the ledger, of a call that is made once. None for any other."""
    notes: Notes
    told: ToolMessage | None = None
    """What the model reads where no call is made."""

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
        try:
            note_failure(self.entry, f"it raised {type(error).__name__}", self.notes)
        except LedgerUnavailable as unavailable:  # how the tool failed says more
            logger.error("how %r failed is not noted: %s", self.entry.label, unavailable)
        settle_call(ledger, account, self.entry, Spend(), "")  # it may have had its effect


@dataclass(frozen=True, slots=True)
class HeldTools:
    """Which of an agent's tools are held."""

    approve: Collection[str] = ()
    """Those that a person is asked about before each call."""
    effects: Collection[str] = ()
    """Those with effects outside, whose calls are made once."""

    def call(
        self, request: Any, place: ToolCallPlace, handler: Callable[[Any], T]
    ) -> T | ToolMessage:
        """Calls a tool, unless it was called before or a person is against it.

        Args:
            request: LangChain's.
            place: where it is noted.
            handler: calls the tool.

        Raises:
            GraphInterrupt: a person is asked first.
        """
        call = self._begin(request, place)
        if call.told is not None:
            return call.told
        try:
            answer = handler(call.request)
        except Exception as error:
            call.drop(error)
            raise
        return call.keep(answer)

    async def acall(
        self, request: Any, place: ToolCallPlace, handler: Callable[[Any], Awaitable[T]]
    ) -> T | ToolMessage:
        """As `call`. A ledger may have to wait for a disk, which an event loop should not."""
        call = await to_thread(self._begin, request, place)
        if call.told is not None:
            return call.told
        try:
            answer = await handler(call.request)
        except Exception as error:
            await to_thread(call.drop, error)
            raise
        return await to_thread(call.keep, answer)

    def _begin(self, request: Any, place: ToolCallPlace) -> HeldCall:
        """The call to be made, or what the model reads instead."""
        if request.tool_call["name"] not in self.effects:
            return self._approve(request, LatestCall(_NO_ENTRY), None, place)
        return make_once(
            lambda: find_latest_call(place.key, Spend(), place.request, place.notes),
            partial(self._send, request, place),
            partial(_judge, request, place),
            place.notes,
        )

    def _send(self, request: Any, place: ToolCallPlace, call: LatestCall) -> HeldCall | None:
        """A call that was never sent. None where somebody else has sent it meanwhile."""
        ledger, account = place.notes.ledger, place.notes.account
        begun = self._approve(request, call, call.entry, place)
        if begun.told is not None:
            release_call(ledger, account, call.entry)
            return begun
        return begun if try_mark_sent(ledger, account, call.entry) else None

    def _approve(
        self, request: Any, call: LatestCall, entry: Entry | None, place: ToolCallPlace
    ) -> HeldCall:
        others = place.describe_others() if entry else ""
        if not others and request.tool_call["name"] not in self.approve:
            return HeldCall(request, entry, place.notes)
        if not can_interrupt(get_config()):
            why = others or "it is to be approved first"
            return _tell(request, place, f"Not called: {why}, {NOBODY}.")
        asked = f"Is {request.tool_call['name']!r} to be called?"
        why = others or _describe(request)
        question = _question(request, "call", asked, why, call, place, APPROVAL_FORMS)

        def read(given: object) -> HeldCall:
            answer = read_approval(given)
            if answer.action == "leave_out":
                return _tell(request, place, "Not called: a person left it out.")
            return HeldCall(_edit(request, answer), entry, place.notes)

        return ask_person(question, read, place.notes)[0]


_NO_ENTRY = Entry("", "", "released", Spend())
"""Of a tool that may be called as often as an agent likes."""


def _judge(request: Any, place: ToolCallPlace, call: LatestCall) -> HeldCall | None:
    """What the model reads of a call that was made before. None where it is made again."""
    entry, notes = call.entry, place.notes
    if kept := entry.answer or known_result(entry, notes):
        content, status = json.loads(kept)
        return _tell(request, place, content, status)
    is_known = entry.status == "settled"
    known = (failure_of(entry, notes) or FAILED) if is_known else UNKNOWN
    if not can_interrupt(get_config()):
        return _tell(request, place, f"Not called again: {known}.")
    asked = f"Did {request.tool_call['name']!r} do what it was called for?"
    question = _question(request, "effect", asked, known, call, place, EFFECT_FORMS)
    answer, mark = ask_person(question, read_effect, notes)
    if answer.action == "leave_out":
        return _tell(request, place, f"Not called again: {known}; a person left it as it is.")
    if answer.action == "again":
        allow_again(entry, str(mark), notes)
        return None
    note_happened(entry, json.dumps([answer.text or DONE, "success"]), notes)
    return _tell(request, place, answer.text or DONE, "success")


def _question(
    request: Any,
    about: Any,
    asked: str,
    reason: str,
    call: LatestCall,
    place: ToolCallPlace,
    forms: str,
) -> CallQuestion:
    return CallQuestion(
        about=about,
        question=asked,
        reason=reason,
        executor=request.tool_call["name"],
        step=place.step,
        task=place.task,
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


def _tell(request: Any, place: ToolCallPlace, content: Any, status: Any = "error") -> HeldCall:
    call = request.tool_call
    told = ToolMessage(content, tool_call_id=call["id"], name=call["name"], status=status)
    return HeldCall(request, None, place.notes, told)

"""Asks a person in the middle of a node, and takes no answer to another question for theirs.

LangGraph numbers the answers that a node was given, and hands them out again, in their order, each
time that it runs the node. A client of a server can also send one before anything was asked, or
together with a call that is to be made. So it is noted in the ledger which question was put, in
which attempt at which node, and in which place. Only an answer in that very place counts.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from langchain_core.runnables.config import var_child_runnable_config
from langgraph.errors import GraphInterrupt
from langgraph.types import interrupt

from thrifty.budget import InvalidInput
from thrifty.ledger.idempotent_calls import fingerprint
from thrifty.ledger.notes import Notes
from thrifty.models.calls.node_attempts import (
    SCRATCHPAD,
    NodeAttempt,
    brings_answer,
    current_attempt,
)

T = TypeVar("T")


class Mark(NamedTuple):
    """Up to where the answers of a node have been used."""

    node: str
    """Where the node is, and which turn of it this is."""
    place: int
    """Of the last answer."""

    def __str__(self) -> str:
        return json.dumps(self)


NO_ANSWER = str(Mark("", 0))
"""Of what goes on without a person."""


def ask_person(
    question: Mapping[str, Any], read: Callable[[object], T], notes: Notes
) -> tuple[T, Mark]:
    """Waits until an answer comes that can be used. Returns it, and where it stood.

    Args:
        question: plain data. Everything in it counts: another input is another question.
        read: reads an answer, or refuses it with `InvalidInput`. Then the person is asked again.
        notes: where it is noted that the question was put.

    Raises:
        GraphInterrupt: there is no answer yet. LangGraph runs the node again once there is one.
    """
    attempt = current_attempt()
    assert attempt is not None, "only a node of a graph can ask"
    text = json.dumps(question, sort_keys=True, default=str)
    asked = f"asked/{fingerprint(attempt.place, text)}"
    shown = dict(question)
    while True:
        with _count_places(attempt) as places:
            try:
                answer = interrupt(shown)
            except GraphInterrupt:
                notes.write(f"{asked}-{places[-1]}")
                raise
        if notes.read(f"{asked}-{places[-1]}") is None:
            continue  # it was given before this was asked
        try:
            return read(answer), Mark(attempt.place, places[-1])
        except InvalidInput as error:
            shown["error"] = str(error)


def skip_answers(marks: Iterable[str]) -> None:
    """Goes past the answers that this node has used before, in an attempt that has used none yet.

    Args:
        marks: what was noted of them, in their order.
    """
    attempt = current_attempt()
    for mark in marks:
        node, place = json.loads(mark)
        if attempt is not None and node == attempt.place:
            while attempt.scratchpad.interrupt_counter() < place:
                pass


@contextmanager
def without_old_answers() -> Iterator[None]:
    """Lets what asks within it wait for an answer of its own, and not be given the last one."""
    attempt = current_attempt()
    if attempt is None or brings_answer() is not False:
        yield
        return
    with _use_scratchpad(replace(attempt.scratchpad, get_null_resume=lambda _=False: None)):
        yield


@contextmanager
def _count_places(attempt: NodeAttempt) -> Iterator[list[int]]:
    """Tells the places that LangGraph gives to what interrupts within it."""
    places: list[int] = []

    def count() -> int:
        places.append(attempt.scratchpad.interrupt_counter())
        return places[-1]

    counting = replace(attempt.scratchpad, interrupt_counter=count)
    with _use_scratchpad(counting), without_old_answers():
        yield places


@contextmanager
def _use_scratchpad(scratchpad: Any) -> Iterator[None]:
    around: Any = var_child_runnable_config.get()
    changed: Any = {**around, "configurable": {**around["configurable"], SCRATCHPAD: scratchpad}}
    token = var_child_runnable_config.set(changed)
    try:
        yield
    finally:
        var_child_runnable_config.reset(token)

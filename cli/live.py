"""What a run says of itself while it runs, read from the graph's stream; pure, a reader only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from thrifty.budget import Outcome
from thrifty.receipt.words import amounts, one_line

NoticeKind = Literal[
    "start", "done", "cut", "failed", "options", "replan", "downgrade", "skip", "ask", "halt"
]
ALREADY_SAID = ("offline", "plan")
"""Decisions that the opening, the plan's table or the receipt tell."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A line of progress."""

    kind: NoticeKind
    text: str
    about: str = ""
    """The option that starts or ends; empty when it is none."""


def notices(update: Mapping[str, Any]) -> Iterator[Notice]:
    """The lines that an update of the stream is worth.

    Args:
        update: what nodes changed in the state, by the node's name.
    """
    for changes in update.values():
        if isinstance(changes, Mapping):
            yield from _decided(changes)
            yield from _started(changes)
            yield from _ended(changes)


def folded(known: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """All that is known of a run's state once an update is read."""
    result = dict(known)
    for changes in update.values():
        if isinstance(changes, Mapping):
            outcomes = [*result.get("outcomes", ()), *_added(changes, "outcomes")]
            result |= {**changes, "outcomes": outcomes}
    return result


def _started(changes: Mapping[str, Any]) -> Iterator[Notice]:
    for assignment in changes.get("wave", ()):
        name = one_line(assignment["option"]["name"])
        yield Notice("start", name, about=name)


def _ended(changes: Mapping[str, Any]) -> Iterator[Notice]:
    for state in _added(changes, "outcomes"):
        outcome = Outcome.from_state(state)
        if outcome.status == "skipped":
            continue  # the decision to skip it says why
        name = one_line(outcome.option.name)
        said = [one_line(outcome.reason)] if outcome.reason else []
        said.append(amounts(outcome.actual))
        yield Notice(outcome.status, f"{name}  {'; '.join(said)}", about=name)


def _decided(changes: Mapping[str, Any]) -> Iterator[Notice]:
    for decision in _added(changes, "decisions"):
        if "plan" in changes and "first_plan" not in changes:
            yield Notice("replan", f"new plan: {one_line(decision['reason'])}")
        elif decision["kind"] not in ALREADY_SAID:
            yield Notice(decision["kind"], f"{decision['kind']}: {one_line(decision['reason'])}")


def _added(changes: Mapping[str, Any], channel: str) -> Sequence[Any]:
    """What was added to a channel that grows; LangGraph wraps what starts it afresh."""
    added = changes.get(channel, ())
    found: Sequence[Any] = getattr(added, "value", added)
    return found

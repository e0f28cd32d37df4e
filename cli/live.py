"""What a run says of itself while it runs, read from its events; pure, a reader only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from thrifty.budget import Spend
from thrifty.receipt.words import amounts, one_line

NoticeKind = Literal[
    "start",
    "done",
    "cut",
    "failed",
    "stopped",
    "options",
    "replan",
    "upgrade",
    "downgrade",
    "skip",
    "ask",
    "halt",
]
ALREADY_SAID = ("offline", "plan")
"""Decisions that the opening, the plan's table or the receipt tell."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A line of progress."""

    kind: NoticeKind
    text: str


def notices(event: Mapping[str, Any]) -> Iterator[Notice]:
    """The lines that an event is worth: none or one."""
    match event["event"]:
        case "step_started":
            yield Notice("start", one_line(event["option"]))
        case "step_finished" if event["status"] != "skipped":  # the decision to skip says why
            yield _ended(event)
        case "replanned":
            yield Notice("replan", f"new plan: {one_line(event['reason'])}")
        case "decided" if event["kind"] not in ALREADY_SAID:
            yield Notice(event["kind"], f"{event['kind']}: {one_line(event['reason'])}")


def _ended(event: Mapping[str, Any]) -> Notice:
    name = one_line(event["option"])
    said = [one_line(event["reason"])] if event["reason"] else []
    said.append(amounts(Spend.from_state(event["actual"])))
    return Notice(event["status"], f"{name}  {'; '.join(said)}")

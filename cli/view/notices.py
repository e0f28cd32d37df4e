"""The progress lines of a run, each made from one of its events."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from thrifty.budget import Spend
from thrifty.budget.plain_text import single_line
from thrifty.receipt.wording import describe_spend

NOTICE_MARKS = {
    "start": ("▸", "dim"),
    "done": ("✓", "green"),
    "cut": ("✂", "yellow"),
    "failed": ("✗", "red"),
    "stopped": ("■", "yellow"),
    "options": ("+", "cyan"),
    "replan": ("↻", "cyan"),
    "upgrade": ("↑", "green"),
    "downgrade": ("↓", "yellow"),
    "skip": ("-", "yellow"),
    "ask": ("?", "cyan"),
    "halt": ("■", "yellow"),
}
"""The mark before each kind of line, and how it looks."""
SHOWN_ELSEWHERE = ("offline", "plan")
"""Decisions that the opening, the plan's table or the receipt tell."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A line of progress."""

    kind: str
    """One of `NOTICE_MARKS`."""
    text: str


def notices(event: Mapping[str, Any]) -> Iterator[Notice]:
    """The lines that an event is worth: none or one."""
    match event["event"]:
        case "step_started":
            yield Notice("start", single_line(event["option"]))
        case "step_finished" if event["status"] != "skipped":  # the decision to skip says why
            yield _step_ended_notice(event)
        case "replanned":
            yield Notice("replan", f"new plan: {single_line(event['reason'])}")
        case "decided" if event["kind"] not in SHOWN_ELSEWHERE:
            yield Notice(event["kind"], f"{event['kind']}: {single_line(event['reason'])}")


def _step_ended_notice(event: Mapping[str, Any]) -> Notice:
    name = single_line(event["option"])
    spend = describe_spend(Spend.from_state(event["actual"]))
    reason = f"{single_line(event['reason'])}; " if event["reason"] else ""
    return Notice(event["status"], f"{name}  {reason}{spend}")

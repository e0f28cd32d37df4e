"""The progress lines of a run, each made from one of its events."""

from collections.abc import Mapping
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
    "unknown": ("?", "red"),
    "options": ("+", "cyan"),
    "replan": ("↻", "cyan"),
    "upgrade": ("↑", "green"),
    "downgrade": ("↓", "yellow"),
    "move": ("→", "cyan"),
    "fallback": ("↪", "yellow"),
    "skip": ("-", "yellow"),
    "check": ("✗", "yellow"),
    "escalate": ("⤴", "cyan"),
    "overrun": ("!", "yellow"),
    "ask": ("?", "cyan"),
    "halt": ("■", "yellow"),
}
"""The mark before each kind of line, and how it looks."""
SHOWN_ELSEWHERE = ("offline", "recipe", "plan")
"""Decisions that the opening, the plan's table or the receipt tell."""


def describe_event(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """The line for an event: its kind, of `NOTICE_MARKS`, and its text. None where it has none."""
    match event["event"]:
        case "step_started":
            return "start", single_line(event["option"])
        case "step_finished" if event["status"] != "skipped":  # the decision to skip says why
            return event["status"], _describe_end(event)
        case "replanned":
            return "replan", f"new plan: {single_line(event['reason'])}"
        case "decided" if event["kind"] not in SHOWN_ELSEWHERE:
            return event["kind"], f"{event['kind']}: {single_line(event['reason'])}"
    return None


def _describe_end(event: Mapping[str, Any]) -> str:
    name = single_line(event["option"])
    spend = describe_spend(Spend.from_state(event["actual"]))
    reason = f"{single_line(event['reason'])}; " if event["reason"] else ""
    return f"{name}  {reason}{spend}"

"""What a run wants to know, in lines for a person."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from thrifty.budget import Spend
from thrifty.budget.plain_text import single_line, strip_unprintable
from thrifty.budget.resources import format_amounts
from thrifty.receipt import wording

TEXT_SHOWN_MAX = 2_000
"""Of a text that a call reads. What it is called with is shown whole."""


def question_lines(question: Any) -> list[Text]:
    """A question in a few lines: a run's about its plan or a call, or an executor's own."""
    match question:
        case {"about": "plan" | "budget"}:
            return [*_heading(question), *_plan_lines(question)]
        case {"about": "call" | "effect"}:
            return [*_heading(question), *_call_lines(question)]
        case {"question": str(asked)}:
            return [Text.assemble(("? ", "cyan"), (single_line(asked), "bold"))]
    return [Text.assemble(("? ", "cyan"), (shown_value(question), "bold"))]


def shown_value(value: object) -> str:
    """A value such that everything in it is seen, and nothing of it moves a cursor.

    A text is shown as it is. All else is JSON, in which a letter that cannot be seen is escaped.
    """
    if isinstance(value, str):
        return strip_unprintable(value)
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return "".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _heading(question: Mapping[str, Any]) -> Iterator[Text]:
    yield Text.assemble(("? ", "cyan"), (single_line(question["question"]), "bold"))
    if error := question.get("error"):
        yield Text(f"  {single_line(error)}", style="red")
    if reason := question["reason"]:
        yield Text(f"  {single_line(reason)}")


def _plan_lines(question: Mapping[str, Any]) -> Iterator[Text]:
    spent = wording.describe_spend(Spend.from_state(question["spent"]))
    yield Text(f"  Spent so far: {spent}")
    for todo in question["to_do"]:
        estimate = wording.describe_spend(Spend.from_state(todo["estimate"]))
        yield Text(f"  · {single_line(todo['option'])}: {estimate}", style="dim")
    if buys := question["buys"]:
        options = single_line(", ".join(buys["options"])) or "the rest of the plan"
        more = format_amounts(buys["more"])
        yield Text(f"  {more} more would buy {options}, worth {buys['value']:+.1f}")


def _call_lines(question: Mapping[str, Any]) -> Iterator[Text]:
    if question["attempt"] > 1:
        yield Text(f"  It would be call {question['attempt']} of it.", style="yellow")
    if (given := question["input"]) is not None:
        yield from _block("Input", shown_value(given))
    elif question["task"]:
        yield from _block("Task", shown_value(question["task"]))
    for name, result in question["results"].items():
        yield from _block(f"Reads {single_line(name)}", _cut(shown_value(result["text"])))
    if question["draft"]:
        yield from _block("Revises", _cut(shown_value(question["draft"])))


def _block(title: str, text: str) -> Iterator[Text]:
    """A text below its title: indented, so that no line of it can pass for one of ours."""
    lines = text.splitlines() or [""]
    if len(lines) == 1:
        yield Text(f"  {title}: {lines[0]}")
        return
    yield Text(f"  {title}:")
    for line in lines:
        yield Text(f"    {line}")


def _cut(text: str) -> str:
    if len(text) <= TEXT_SHOWN_MAX:
        return text
    return f"{text[:TEXT_SHOWN_MAX]}…\n({len(text):,} characters; `--json` has them all)"

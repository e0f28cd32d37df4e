"""The draft: what the steps wrote, put together."""

import re
from collections.abc import Callable, Iterable, Sequence

from thrifty.budget import Outcome, Step
from thrifty.models.tokens import utf8_bytes

SECTION_START = re.compile(r"(?m)^(?=## )")


def compose(outcomes: Iterable[Outcome], steps: Sequence[Step]) -> str:
    """The draft so far: sections in running order, whatever the order in which they ended.

    A revision takes the place of all that was there when it ran.

    Args:
        outcomes: what was tried, in the order in which it ended.
        steps: every step there is, in running order.
    """
    order = {step.name: place for place, step in enumerate(steps)}
    revisions = {step.name for step in steps if step.role == "revision"}
    revised = ""
    sections: list[Outcome] = []
    for outcome in outcomes:
        if not outcome.has_text or not outcome.text:
            continue
        if outcome.step in revisions:
            revised, sections = outcome.text, []
        else:
            sections.append(outcome)
    sections.sort(key=lambda outcome: order[outcome.step])
    parts = [revised] if revised else []
    return "\n\n".join([*parts, *(f"## {o.step}\n\n{o.text}" for o in sections)])


def revisable(draft: str, tokens_max: int, count: Callable[[str], int]) -> tuple[str, str]:
    """As many whole sections from the start as are within so many tokens, and the rest."""
    parts = SECTION_START.split(draft)
    fitting = 0
    while fitting < len(parts) and count("".join(parts[: fitting + 1])) <= tokens_max:
        fitting += 1
    return "".join(parts[:fitting]).strip(), "".join(parts[fitting:]).strip()


def excerpt(draft: str, tokens_max: int) -> str:
    """The end of a draft, as much of it as is sure to be within so many tokens."""
    kept = draft[-tokens_max:] if tokens_max > 0 else ""
    while utf8_bytes(kept) > tokens_max:
        kept = kept[len(kept) // 8 + 1 :]
    return kept if kept == draft else f"…{kept}"

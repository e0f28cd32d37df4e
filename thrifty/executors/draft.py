"""The draft: what the steps wrote, put together."""

from collections.abc import Iterable, Sequence

from thrifty.budget import Outcome, Step
from thrifty.budget.step import in_running_order
from thrifty.models.tokens import utf8_bytes


def compose(outcomes: Iterable[Outcome], steps: Sequence[Step]) -> str:
    """The draft so far: sections in running order, whatever the order in which they ended.

    A revision takes the place of all that was there when it ran.
    """
    order = {step.name: place for place, step in enumerate(in_running_order(steps))}
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


def excerpt(draft: str, tokens_max: int) -> str:
    """The end of a draft, as much of it as is sure to be within so many tokens."""
    kept = draft[-tokens_max:] if tokens_max > 0 else ""
    while utf8_bytes(kept) > tokens_max:
        kept = kept[len(kept) // 8 + 1 :]
    return kept if kept == draft else f"…{kept}"

"""The draft: what the steps wrote, put together."""

import re
from bisect import insort
from collections.abc import Iterable, Sequence
from operator import itemgetter

from thrifty.budget import Outcome, Step

SECTION_SEPARATOR = "\n\n"
SECTION_START = re.compile(r"(?m)^(?=## )")
PARTS_ALL = 1_000_000
"""More parts than any draft has."""


class Draft:
    """What was written so far: sections in the order of their steps, whenever they were written.

    A summary may stand before what it sums up. An answer has no heading of its own. It takes the
    place of all that was there when it came, as a revision does. Materials are no part of it, but
    what there is where nothing else was written.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        """Empty.

        Args:
            steps: every step there is, in the order of the document.
        """
        self._order = {step.name: place for place, step in enumerate(steps)}
        self._roles = {step.name: step.role for step in steps}
        self._parts: list[tuple[int, str]] = []
        self._materials: list[tuple[int, str]] = []

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Takes in what was tried next, in the order in which it ended."""
        for outcome in outcomes:
            if not outcome.has_text or not outcome.text:
                continue
            role = self._roles[outcome.step]
            if role in ("answer", "revision"):
                self._parts = [(-1, outcome.text)]
                continue
            parts = self._materials if role == "material" else self._parts
            place = self._order[outcome.step]
            parts[:] = [part for part in parts if part[0] != place]  # it was done once before
            insort(parts, (place, f"## {outcome.step}\n\n{outcome.text}"), key=itemgetter(0))

    def __str__(self) -> str:
        return _join(self._parts)

    def handed_over(self) -> str:
        """What a run hands over that has ended. Where nothing else was written, that is what was
        found for it."""
        return str(self) or _join(self._materials)


def _join(parts: Sequence[tuple[int, str]]) -> str:
    return SECTION_SEPARATOR.join([text for _, text in parts])


def split_draft(draft: str, parts: int) -> tuple[str, str]:
    """Splits a draft into so many parts from its beginning, and what follows them.

    What stands before the first section is a part of its own, even where it is empty.
    """
    found = SECTION_START.split(draft)
    return "".join(found[:parts]).strip(), "".join(found[parts:]).strip()


def count_parts(draft: str) -> int:
    """How many parts `split_draft` knows of a draft."""
    return len(SECTION_START.split(draft))

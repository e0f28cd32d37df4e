"""The draft: what the steps wrote, put together."""

import re
from bisect import insort
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter

from thrifty.budget import Outcome, Step
from thrifty.models.input_bound import utf8_bytes

SECTION_SEPARATOR = "\n\n"
SECTION_START = re.compile(r"(?m)^(?=## )")


class Draft:
    """What was written so far: sections in running order, whatever the order in which they ended.

    A revision takes the place of all that was there when it ran.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        """Empty.

        Args:
            steps: every step there is, in running order.
        """
        self._order = {step.name: place for place, step in enumerate(steps)}
        self._revisions = {step.name for step in steps if step.role == "revision"}
        self._parts: list[tuple[int, str]] = []

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Takes in what was tried next, in the order in which it ended."""
        for outcome in outcomes:
            if not outcome.has_text or not outcome.text:
                continue
            if outcome.step in self._revisions:
                self._parts = [(-1, outcome.text)]
            else:
                section = f"## {outcome.step}\n\n{outcome.text}"
                insort(self._parts, (self._order[outcome.step], section), key=itemgetter(0))

    def __str__(self) -> str:
        return SECTION_SEPARATOR.join([text for _, text in self._parts])

    def last_characters(self, characters: int) -> str:
        """Its last so many characters, at least one, or all that there are."""
        parts: list[str] = []
        length = -len(SECTION_SEPARATOR)
        for _, text in reversed(self._parts):  # a long draft is read no further than asked
            if length >= characters:
                break
            parts.append(text)
            length += len(SECTION_SEPARATOR) + len(text)
        return SECTION_SEPARATOR.join(reversed(parts))[-characters:]


def split_revisable(draft: str, tokens_max: int, count: Callable[[str], int]) -> tuple[str, str]:
    """Splits a draft into the whole sections that fit in so many tokens, and what follows them."""
    parts = SECTION_START.split(draft)
    fitting = 0
    # Counted together: the tokens of sections do not add up to those of the whole.
    while fitting < len(parts) and count("".join(parts[: fitting + 1])) <= tokens_max:
        fitting += 1
    return "".join(parts[:fitting]).strip(), "".join(parts[fitting:]).strip()


def fitting_excerpt(draft: Draft, tokens_max: int) -> str:
    """The end of a draft, as much of it as certainly fits in so many tokens."""
    end = draft.last_characters(tokens_max + 1)  # one more shows whether any was cut
    kept = end[-tokens_max:] if tokens_max else ""
    while utf8_bytes(kept) > tokens_max:
        kept = kept[len(kept) // 8 + 1 :]  # few rounds, and hardly more than needed is lost
    return kept if kept == end else f"…{kept}"

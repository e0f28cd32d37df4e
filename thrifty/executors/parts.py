"""Finds the parts that a task asks for by name: "including scope, timeline, and risks"."""

import re

from thrifty.executors.playbook import playbook
from thrifty.executors.quantities import without_quantities
from thrifty.executors.words import cut, one_line

PARTS_MAX = 10
PART_MAX = 60
CUES_MAX = 40
LISTING_MAX = 1_000
"""How many lists are looked for, and how far each is read, so that no text takes long."""

_CUE = re.compile(
    r",?\s*\(?\b(including|includes?|covering|covers?|containing|contains?|consisting of|comprising"
    r"|(?:with|has|have) (?:the )?(?:following )?(?:sections|parts|chapters|headings)"
    r"(?: on| for| about)?|sections|with|must have|should have)\b\s*:?\s*",
    re.IGNORECASE,
)
_WEAK = ("with", "must have", "should have")
"""Words that mostly introduce something else: believed only when a known part follows."""

_END = re.compile(r"[.!?](?:\s|$)|\n\s*\n|\n(?=\S)(?![-*•\d])")
_BULLET = re.compile(r"\n\s*(?:[-*•]|\d{1,2}[.)])\s+")
_SEPARATOR = re.compile(r"\s*(?:,(?!\d)|;)\s*(?:and\s+|or\s+)?|\s+and\s+|\s*[+&]\s*", re.IGNORECASE)
_FILLER = re.compile(
    r"^(?:an?|the|our|its|some|any|sections? (?:on|about|for)|also|at least)\s+", re.IGNORECASE
)


def read_parts(text: str) -> tuple[str, ...]:
    """The parts in the order of the task, without articles."""
    found: dict[str, str] = {}
    for listing, _ in _listings(text):
        for part in listing:
            found.setdefault(part.casefold(), part)
    return tuple(found.values())[:PARTS_MAX]


def without_parts(text: str) -> str:
    """The text without its lists of parts."""
    for _, (start, end) in reversed(_listings(text)):
        text = text[:start] + text[end:]
    return text


def known_part(name: str) -> str:
    """What belongs in a part of that name; empty when nothing is known."""
    book = playbook().parts
    words = name.casefold().split()
    return book.get(name.casefold()) or next((book[w] for w in words[::-1] if w in book), "")


def _listings(text: str) -> list[tuple[list[str], tuple[int, int]]]:
    """The parts after each cue, and the stretch of text that cue and parts take up."""
    listings = []
    position = 0
    for _ in range(CUES_MAX):
        if not (cue := _CUE.search(text, position)):
            break
        position = cue.end()
        # Bullets become commas, padded so that positions stay.
        flat = _BULLET.sub(
            lambda bullet: "," + " " * (len(bullet.group()) - 1), text[position:][:LISTING_MAX]
        )
        flat = flat[: end.start()] if (end := _END.search(flat)) else flat
        parts = _parts(flat)
        is_weak = cue.group(1).lower() in _WEAK
        is_meant = not is_weak or (any(map(known_part, parts)) and not re.search(r"\d", flat))
        if parts and is_meant:
            position += len(flat)
            listings.append((parts, (cue.start(), position)))
    return listings


def _parts(listing: str) -> list[str]:
    names = (one_line(without_quantities(name)) for name in _SEPARATOR.split(listing))
    bare = (_FILLER.sub("", name.strip(" :()\"'-*•")) for name in names)
    return [cut(name, PART_MAX) for name in bare if len(name) > 1 and len(name.split()) <= 8]

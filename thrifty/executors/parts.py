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
    r",?\s*\(?\b(including|includes?|covering|covers?(?!\s+(?:letter|page|image|sheet|story)s?\b)"
    r"|containing|contains?|consisting of|comprising"
    r"|(?:with|has|have) (?:the )?(?:following )?(?:sections|parts|chapters|headings)"
    r"(?: on| for| about)?|sections|with|must have|should have)\b\s*:?\s*|(?<=\w)(:)\s+",
    re.IGNORECASE,
)
_WEAK = ("with", "must have", "should have")
"""Words that mostly introduce something else: believed only when a known part follows."""
_GIVEN = {"below", "data", "following", "notes", "text", "these", "this"}
"""Words before a colon that say that what follows is material."""
ASKED_MIN = 3
"""How many words come before a colon, and how many parts after it at least."""
SHORT_MAX = 5
"""How many words each of those parts has at most."""

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
        word = cue.group(2) or cue.group(1).lower()
        if parts and _is_meant(word, text[: cue.start()], flat, parts):
            position += len(flat)
            listings.append((parts, (cue.start(), position)))
    return listings


def _is_meant(cue: str, before: str, listing: str, parts: list[str]) -> bool:
    """Whether a cue introduces these parts, and nothing else."""
    if cue == ":":
        names = _SEPARATOR.split(listing)
        words = re.split(r"[.!?:\n]", before[-LISTING_MAX:])[-1].casefold().split()
        is_short = all(len(name.split()) <= SHORT_MAX for name in names)
        return min(len(words), len(names)) >= ASKED_MIN and is_short and _GIVEN.isdisjoint(words)
    return cue not in _WEAK or (any(map(known_part, parts)) and not re.search(r"\d", listing))


def _parts(listing: str) -> list[str]:
    names = (one_line(without_quantities(name)) for name in _SEPARATOR.split(listing))
    bare = (_FILLER.sub("", name.strip(" :()\"'-*•")) for name in names)
    return [cut(name, PART_MAX) for name in bare if len(name) > 1 and len(name.split()) <= 8]

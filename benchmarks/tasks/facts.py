"""What a good answer says, and whether an answer says it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.tasks.python_process import code_of, run_python

NUMBER_ERROR_MAX = 0.001
"""A number counts as said where an answer comes this near, as a share of it: people round."""
# A number inside a word or a longer number, such as a version, is none.
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[ \u00a0\u202f.,'\u2019]\d+)*(?!\w*\d)")
_GROUPED = re.compile(r"\d{1,3}(?:\D\d{3})+")
_JSON = re.compile(r"[\[{].*[\]}]", re.DOTALL)

Accepted = str | float | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact stands: in a document, or in what a tool finds."""

    quote: str
    """The very words, but for white space."""
    document: str = ""
    tool: str = ""
    query: str = ""
    """What the tool is asked, so that it finds them."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a good answer says."""

    says: str
    """For people."""
    accepts: tuple[Accepted, ...] = field(default=(), hash=False)
    """One of them is enough: regular expressions, whose letters may be large or small, numbers,
    however they are written, and what an object in the answer's JSON has."""
    check: str = ""
    """Python that fails where the code of an answer is wrong. It stands behind that code."""
    sources: tuple[Source, ...] = ()
    """What it follows from. None where nothing has to be read for it."""

    def is_in(self, answer: str) -> bool:
        """Whether an answer says it. A check runs the answer's code."""
        if self.check:
            return run_python({"main.py": f"{code_of(answer)}\n\n{self.check}"}, "main.py").passed
        return any(_is_said(accepted, answer) for accepted in self.accepts)


def share_of_facts(facts: Iterable[Fact], answer: str) -> float:
    """How much of what a good answer says is in an answer, from 0 to 1."""
    said = [fact.is_in(answer) for fact in facts]
    return sum(said) / len(said)


def _is_said(accepted: Accepted, answer: str) -> bool:
    if isinstance(accepted, Mapping):
        return any(accepted.items() <= each.items() for each in objects_in(answer))
    if isinstance(accepted, str):
        return re.search(accepted, " ".join(answer.split()), re.IGNORECASE) is not None
    error_max = abs(accepted) * NUMBER_ERROR_MAX
    return any(abs(number - accepted) <= error_max for number in numbers_in(answer))


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Each object in the JSON of a text, which may have words around it."""
    found = _JSON.search(text)
    try:
        waiting = [json.loads(found[0])] if found else []
    except ValueError:  # it is no JSON, so that it has no objects
        return
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, dict):
            yield thing
            waiting += thing.values()
        elif isinstance(thing, list):
            waiting += thing


def numbers_in(text: str) -> Iterator[float]:
    """Each number in a text. What may be read in two ways, as 1.234 may, comes twice."""
    for found in _NUMBER.findall(text):
        yield from _readings(found)
        # Two numbers that stand beside each other look like one: "in 2026 450 people".
        if " " in found:
            for part in found.split(" "):
                yield from _readings(part)


def _readings(written: str) -> Iterator[float]:
    if _GROUPED.fullmatch(written) or written.isdigit():
        yield float(re.sub(r"\D", "", written))
    whole, _, decimals = (
        re.sub(r"[ \u00a0\u202f'\u2019]", "", written).replace(",", ".").rpartition(".")
    )
    if whole:
        yield float(f"{whole.replace('.', '')}.{decimals}")

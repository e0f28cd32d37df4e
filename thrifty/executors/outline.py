"""The sections of the text or plan that a task asks for, in reading order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from thrifty.executors.brief import Brief
from thrifty.executors.parts import known_part
from thrifty.executors.playbook import playbook, singular
from thrifty.executors.words import capital

WORDS_STEP = 10


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what belongs under it."""

    name: str
    points: str
    is_requested: bool = False
    words: int = 0
    """Its share of the length that was asked for; 0 when none was."""


def outline_for(brief: Brief) -> tuple[Section, ...]:
    """Opens and closes as such work does; between them, the subjects and what was asked for."""
    sections = _without_repeats(
        [*_opening(brief), *_subjects(brief), *_requested(brief), *_close(brief)]
    )
    share = brief.quantities.size_words / len(sections)
    words = int(share / WORDS_STEP) * WORDS_STEP
    return tuple(Section(s.name, s.points, s.is_requested, words) for s in sections)


def _opening(brief: Brief) -> list[Section]:
    usual = _usual(brief)
    if not brief.parts:
        return usual[:-1]
    return usual[:1] if brief.is_writing else usual[:2]


def _close(brief: Brief) -> list[Section]:
    return _usual(brief)[-1:]


def _subjects(brief: Brief) -> Iterator[Section]:
    """A section for each of several subjects; a single one is what the whole is about."""
    if len(brief.subjects) > 1:
        for subject in brief.subjects:
            points = "what it is, and what the reader should know about it"
            thing = playbook().thing_called(subject)
            yield Section(capital(subject), points if brief.is_writing else thing.covers)


def _requested(brief: Brief) -> Iterator[Section]:
    for part in brief.parts:
        points = known_part(part) or "what the reader needs to know about it, with one example"
        yield Section(capital(part), points, is_requested=True)


def _usual(brief: Brief) -> list[Section]:
    return [Section(name, points) for name, points in brief.kind.sections.items()]


def _without_repeats(sections: list[Section]) -> list[Section]:
    """A part that was asked for stands in place of the usual one of the same name."""
    requested = {singular(section.name) for section in sections if section.is_requested}
    return [s for s in sections if s.is_requested or singular(s.name) not in requested]

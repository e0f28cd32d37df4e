"""Chooses the risks that a task is likely to meet, from `risks.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Any

from thrifty.executors.brief import Brief
from thrifty.executors.playbook import read_data, singular
from thrifty.executors.words import capital

RISKS_MAX = 7
RISKS_MIN = 5
WORDS_READ = 200
LEVELS = {1: "low", 2: "medium", 3: "high"}


@dataclass(frozen=True, slots=True)
class Risk:
    """One row of a risk register."""

    risk: str
    likelihood: int
    """1 low, 2 medium, 3 high."""
    impact: int
    """1 low, 2 medium, 3 high."""
    mitigation: str
    owner: str

    @property
    def severity(self) -> int:
        return self.likelihood * self.impact

    @property
    def levels(self) -> tuple[str, str]:
        """Likelihood and impact in words."""
        return LEVELS[self.likelihood], LEVELS[self.impact]


def risks_for(brief: Brief) -> tuple[Risk, ...]:
    """The worst first; every limit and every theme of the task has one before any has two.

    Risks that any work runs into only fill up a short list: few read a register of platitudes.
    """
    own = {risk.risk: risk for risk in (*_of_limits(brief), *_of_themes(brief))}
    chosen = list(own.values())[:RISKS_MAX]
    usual = [_risk(entry) for entry in _file()["always"]]
    chosen += usual[: max(0, RISKS_MIN - len(chosen))]
    return tuple(sorted(chosen, key=lambda risk: -risk.severity))


def _of_limits(brief: Brief) -> Iterator[Risk]:
    """Risks of the limits that the task states; the length of a trip is no limit."""
    quantities = brief.quantities
    duration = quantities.duration
    stated = {
        "date": quantities.date,
        "duration": duration.text if duration and not duration.describes else "",
        "money": quantities.money,
    }
    for name, limit in stated.items():
        if limit:
            entry = _file()["limits"][name]
            yield _risk({**entry, "risk": entry["risk"].format(limit=limit)})


def _of_themes(brief: Brief) -> Iterator[Risk]:
    """The first risk of every theme, then the second of every theme, and so on.

    Themes come in the order in which the task mentions them.
    """
    mentioned = f"{brief.verb} {brief.document} {brief.task}".split()[:WORDS_READ]
    words = [singular(word) for word in mentioned]
    placed = []
    for theme in _file()["themes"].values():
        place = next((i for i, word in enumerate(words) if word in theme["words"]), None)
        if place is not None and brief.kind.name not in theme.get("not_for", ()):
            placed.append((place, _of_theme(theme, brief)))
    by_theme = (risks for _, risks in sorted(placed, key=lambda pair: pair[0]))
    for row in zip_longest(*by_theme):
        yield from (risk for risk in row if risk)


def _of_theme(theme: dict[str, Any], brief: Brief) -> list[Risk]:
    """The theme's risks; of several subjects, the one that it is about is named."""
    matching = [
        subject
        for subject in brief.subjects
        if any(singular(word) in theme["words"] for word in subject.split())
    ]
    is_one_of_several = len(brief.subjects) > 1 and len(matching) == 1
    about = f"{matching[0]}: " if is_one_of_several else ""
    return [_risk({**entry, "risk": about + entry["risk"]}) for entry in theme["risks"]]


def _risk(entry: dict[str, Any]) -> Risk:
    return Risk(
        **{**entry, "risk": capital(entry["risk"]), "mitigation": capital(entry["mitigation"])}
    )


@cache
def _file() -> Any:
    return read_data("risks.yaml")

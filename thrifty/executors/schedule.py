"""Spreads the milestones of a kind of work over the time there is."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

from thrifty.executors.brief import Brief
from thrifty.executors.playbook import Milestone, playbook
from thrifty.executors.words import capital

TRIP_DAYS_MAX = 14
WORKDAYS_A_WEEK = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A milestone with its place in time."""

    number: int
    name: str
    when: str
    """In the unit that fits: "Week 1", "Days 2-3"."""
    after: str
    """The numbers of the milestones it waits for; empty for none."""
    proof: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """The milestones, and what they assume."""

    rows: tuple[Row, ...]
    span: str
    """The time that is spread: "8 weeks"."""
    is_stated: bool
    """Whether the task itself said so."""


def schedule_for(brief: Brief) -> Schedule:
    """A schedule from week 1 on: what day it is today is not known, and not asked."""
    stated = brief.quantities.duration
    # The length of a trip or of an event is no time to prepare it in.
    if stated and not (stated.describes and brief.kind.name in ("travel", "event", "learning")):
        return Schedule(_rows(brief, stated.days), stated.text, is_stated=True)
    return Schedule(_rows(brief, brief.kind.days), brief.kind.duration, is_stated=False)


def trip_days(brief: Brief) -> tuple[str, ...]:
    """What each day of a trip is for; empty when it is no trip or its length is unknown."""
    stated = brief.quantities.duration
    if brief.kind.name != "travel" or not stated or not 1 < stated.days <= TRIP_DAYS_MAX:
        return ()
    middle = (
        "the sight that everybody came for, early, before the queues; afternoon free",
        "an excursion or the second big sight; evening meal booked ahead",
        "one quarter on foot, market and museum; evening free",
        "rest, or what bad weather pushed aside",
    )
    days = [middle[i % len(middle)] for i in range(stated.days - 2)]
    return (
        "arrive, check in, first walk near the lodging; nothing booked in case of delay",
        *days,
        "last stop near the lodging, pack, travel home",
    )


def _rows(brief: Brief, days: int) -> tuple[Row, ...]:
    phases = [_members(brief, milestone) for milestone in brief.kind.milestones]
    weights = [milestone.weight for milestone in brief.kind.milestones]
    unit, units = _unit(days, len(phases))
    rows: list[Row] = []
    waits_for: list[int] = []
    done = 0
    for weight, members in zip(weights, phases, strict=True):
        start, end = (
            floor(done * units / sum(weights)),
            ceil((done + weight) * units / sum(weights)),
        )
        when = f"{unit} {start + 1}" if end - start <= 1 else f"{unit}s {start + 1}-{end}"
        after = ", ".join(map(str, waits_for))
        waits_for = []
        for name, proof in members:
            rows.append(Row(len(rows) + 1, name, when, after, capital(proof)))
            waits_for.append(len(rows))
        done += weight
    return tuple(rows)


def _members(brief: Brief, milestone: Milestone) -> list[tuple[str, str]]:
    """The milestone itself, or one for each thing; those run side by side."""
    if milestone.name:
        return [(milestone.name, milestone.proof)]
    things = [(subject, playbook().thing_called(subject)) for subject in brief.subjects]
    return [(f"{capital(subject)}: {thing.build}", thing.proof) for subject, thing in things]


def _unit(days: int, phases: int) -> tuple[str, int]:
    """The largest unit in which each phase can have one of its own."""
    weeks = days / 7
    if days <= 1:
        return "Hour", 8
    if days > 26 * 7:
        return "Month", round(days / 30.4)
    if weeks >= phases - 1:
        return "Week", max(1, round(weeks))
    return "Day", max(2, days if days < 7 else floor(weeks * WORKDAYS_A_WEEK))

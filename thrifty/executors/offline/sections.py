"""Writes the sections of a proposal in English, from the playbook and what a task states."""

from collections.abc import Iterator
from math import ceil

from thrifty.executors.offline.playbook import Cells, playbook
from thrifty.executors.offline.quoting import capital, inert, table
from thrifty.executors.offline.task_facts import TaskFacts

RISKS_MAX = 6
RISKS_MIN = 4
LEVELS = {"low": 1, "medium": 2, "high": 3}
RISK_COLUMNS = ["Risk", "Likelihood", "Impact", "Mitigation", "Owner"]
MILESTONE_COLUMNS = ["Milestone", "When", "Done when"]
LIMIT_RISKS = {
    "time": ["the time is too short ({})", "agree now on what is left out first", "lead"],
    "date": ["the date is missed ({})", "finish a week before it", "lead"],
    "cost": ["the cost passes what is stated ({})", "keep a tenth back", "whoever pays"],
}


def deliverables(facts: TaskFacts) -> str:
    """What is handed over, and what to settle about it."""
    items = ["What the task asks for, complete and checked", *_describe(_requested_parts(facts))]
    return _join_blocks("\n".join(f"- [ ] {item}." for item in items), generic(facts))


def generic(facts: TaskFacts) -> str:
    """What is in and out of scope, and what to ask first."""
    scope = [[word, theme.scope, theme.excluded] for word, theme in facts.themes.items()]
    unknown = [["the task above", "how to tell that it is done", "what it does not name"]]
    return _join_blocks(
        "### Scope",
        table(["Part", "To settle", "Left out"], scope or unknown),
        "### To ask first",
        "\n".join(f"- {question}" for question in playbook().questions),
    )


def outline(facts: TaskFacts) -> str:
    """The usual sections of such work, or its first and last around the parts asked for."""
    points = facts.outline
    if facts.parts:
        first, *_, last = points
        points = {first: points[first], **_requested_parts(facts), last: points[last]}
    return "\n".join(f"{number}. {line}." for number, line in enumerate(_describe(points), 1))


def risks(facts: TaskFacts) -> str:
    """The risks of the stated limits, then of what the task touches, then of such work."""
    rows = []
    for limit, text in facts.limits.items():
        risk, mitigation, owner = LIMIT_RISKS[limit]
        rows.append([risk.format(text), "medium", "high", mitigation, owner])
    rows += [row for theme in facts.themes.values() for row in theme.risks]
    rows = rows[:RISKS_MAX]
    rows += playbook().risks[: max(0, RISKS_MIN - len(rows))]
    rows.sort(key=lambda row: -LEVELS[row[1]] * LEVELS[row[2]])
    return _join_blocks(table(RISK_COLUMNS, rows), "Owners are roles: name a person for each.")


def timeline(facts: TaskFacts) -> str:
    """The usual milestones over the time that is stated, or over a usual one."""
    unit, units = _unit(facts.days)
    times = [facts.limits[limit] for limit in ("time", "date") if limit in facts.limits]
    if "time" not in facts.limits:
        times.append(f"{units} {unit.lower()}s are assumed")
    rows = list(_milestones(facts, unit, units))
    return _join_blocks(f"**Time:** {'; '.join(times)}.", table(MILESTONE_COLUMNS, rows))


def _milestones(facts: TaskFacts, unit: str, units: int) -> Iterator[Cells]:
    """Each with its share of the units; those of themes run side by side."""
    own = [(word, theme.work) for word, theme in facts.themes.items() if theme.work]
    total, done = sum(weight for _, weight, _ in playbook().milestones), 0
    for name, weight, proof in playbook().milestones:
        start, end = done * units // total + 1, ceil((done + weight) * units / total)
        done += weight
        when = f"{unit} {start}" if start >= end else f"{unit}s {start}-{end}"
        if name == "first version" and own:
            yield from ([f"{word}: {work[0]}", when, work[1]] for word, work in own)
        else:
            yield [name, when, proof]


def _unit(days: int) -> tuple[str, int]:
    """The largest unit in which nearly each milestone can have one of its own."""
    phases = len(playbook().milestones)
    if days > 26 * 7:
        return "Month", round(days / 30.4)
    if days >= 7 * (phases - 1):
        return "Week", round(days / 7)
    return ("Day", days) if days > 1 else ("Hour", 8)


def _requested_parts(facts: TaskFacts) -> dict[str, str]:
    return {part: playbook().parts.get(part.casefold(), "as asked for") for part in facts.parts}


def _describe(points: dict[str, str]) -> list[str]:
    return [f"**{inert(capital(name))}**: {point}" for name, point in points.items()]


def _join_blocks(*blocks: str) -> str:
    return "\n\n".join(filter(None, blocks))

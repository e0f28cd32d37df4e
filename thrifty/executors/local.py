"""The local executor: writes a section from the task's own words, with no model, at no cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.executors.brief import Brief, read_brief
from thrifty.executors.money_shares import shares
from thrifty.executors.outline import outline_for
from thrifty.executors.parts import known_part
from thrifty.executors.payload import TEMPLATES
from thrifty.executors.playbook import playbook
from thrifty.executors.protocol import Result, Work
from thrifty.executors.render import render
from thrifty.executors.risks import risks_for
from thrifty.executors.schedule import schedule_for, trip_days
from thrifty.executors.tidy import tidy


def run_local(work: Work) -> Result:
    """Does the work that the option's payload names with `template`; `generic` without it.

    The same work always gives the same text. It uses nothing: local code buys no tokens and no
    calls, and its time is measured from outside.

    Raises:
        InvalidInput: no template has that name.
    """
    template = work.option.payload.get("template", "generic")
    if template not in TEMPLATES:
        raise InvalidInput("payload.template", template, f"use one of: {', '.join(TEMPLATES)}")
    brief = read_brief(work.task)
    if template == "tidy":
        return Result(tidy(work.draft, brief.parts))
    values = _VALUES[template](brief) if template in _VALUES else {}
    return Result(
        render(
            template,
            brief=brief,
            quantities=brief.quantities,
            things=[(subject, playbook().thing_called(subject)) for subject in brief.subjects],
            parts=[(part, known_part(part)) for part in brief.parts],
            description=work.option.description,
            **values,
        )
    )


_VALUES: dict[str, Callable[[Brief], dict[str, Any]]] = {
    "deliverables": lambda brief: {"shares": shares(brief)},
    "outline": lambda brief: {"outline": outline_for(brief)},
    "risks": lambda brief: {"risks": risks_for(brief)},
    "timeline": lambda brief: {"schedule": schedule_for(brief), "days": trip_days(brief)},
}
"""What a template needs beside the brief."""

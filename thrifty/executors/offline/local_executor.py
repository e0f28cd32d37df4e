"""The executor `local`: writes a section with no model, at no cost."""

from thrifty.budget import InvalidInput, Spend
from thrifty.executors.offline.blank_form import NOTE, blank_form
from thrifty.executors.offline.language import is_english
from thrifty.executors.offline.quoting import inert, quote
from thrifty.executors.offline.sections import deliverables, generic, outline, risks, timeline
from thrifty.executors.offline.task_facts import foreign_time, read_facts
from thrifty.executors.offline.tidy import tidy
from thrifty.executors.payload import TEMPLATES
from thrifty.executors.protocol import Result, Work

_WRITERS = {writer.__name__: writer for writer in (deliverables, generic, outline, risks, timeline)}
"""By the name of their template."""


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
    facts = read_facts(work.task) if is_english(work.task) else None
    if template == "tidy":
        parts = facts.parts if facts else []
        text = tidy(work.draft, parts, once=(quote(work.task), NOTE))
        return Result(text, spend=Spend())
    blocks = [quote(work.task)]
    if template == "generic":
        blocks.append(inert(work.option.description))
    if facts:
        blocks.append(_WRITERS[template](facts))
    else:
        blocks += [NOTE, blank_form(template, foreign_time(work.task))]
    return Result("\n\n".join(blocks) + "\n", spend=Spend())

"""Makes the roles of a decomposition agree: one answer, or sections and at most one revision.

Nothing is made in vain: what nobody reads joins the result, or is dropped.
"""

from collections.abc import Collection, Mapping, Set
from dataclasses import replace

from thrifty.budget.step import Role
from thrifty.executors.registry import ExecutorRegistry
from thrifty.options.decomposition import STEP_WORDS_DEFAULT
from thrifty.options.direct_answer import ANSWER_STEP, DESCRIPTION
from thrifty.options.step_fields import DraftStep, quote
from thrifty.options.step_reads import Drafts, comes_after, readers, without_steps


def settle_revisions(drafts: Drafts, remarks: list[str]) -> Drafts:
    """The steps with one revision at most, the last. It is handed the draft, and reads no more."""
    *earlier, last = _with_role(drafts, "revision") or [0]
    if earlier:
        remarks.append(f"of {len(earlier) + 1} revisions the last one is kept")
    settled = {**drafts, **{n: replace(drafts[n], role="material") for n in earlier}}
    if last:
        settled[last] = replace(drafts[last], named_reads=(), executor="", input=None)
    return settled


def settle_roles(
    drafts: Drafts, executors: ExecutorRegistry, words: int | None, remarks: list[str]
) -> Drafts:
    """The steps with roles that make a plan.

    Args:
        drafts: with what they read.
        executors: the deployment's.
        words: how long the whole result is, where the task says so.
        remarks: what was changed is added to them.
    """
    drafts = _without_odd_executors(drafts, executors, remarks)
    drafts = _one_answer(drafts, remarks)
    drafts = _some_result(drafts, words, remarks)
    drafts = {
        n: draft if draft.role else replace(draft, role="material") for n, draft in drafts.items()
    }
    drafts = _without_revision(drafts, remarks)
    outside = {n for n, draft in drafts.items() if executors.has_effects(draft.executor)}
    return _join_unread(drafts, outside, remarks)


def _with_role(drafts: Mapping[int, DraftStep], role: Role) -> list[int]:
    return [number for number, draft in drafts.items() if draft.role == role]


def _without_odd_executors(
    drafts: Drafts, executors: ExecutorRegistry, remarks: list[str]
) -> Drafts:
    """What acts outside, or answers and does not say that it can, makes material."""
    settled = dict(drafts)
    for number, draft in drafts.items():
        is_odd = draft.role == "answer" and draft.executor not in ("", *executors.answering)
        if (
            executors.has_effects(draft.executor) and draft.role not in (None, "material")
        ) or is_odd:
            settled[number] = replace(draft, role="material")
            remarks.append(f"{quote(draft.name)} makes material, as {draft.executor!r} does it")
    return settled


def _one_answer(drafts: Drafts, remarks: list[str]) -> Drafts:
    answers, sections = _with_role(drafts, "answer"), _with_role(drafts, "section")
    if not answers:
        return drafts
    if sections:
        remarks.append("sections beside an answer are its material")
    last, earlier = answers[-1], answers[:-1]
    lost = set(earlier) - readers(drafts)
    if earlier:
        remarks.append(f"of {len(answers)} answers the last one is the answer")
    settled = dict(drafts)
    for number in (*sections, *earlier):
        settled[number] = replace(drafts[number], role="material")
    return without_steps(settled, lost - {last})


def _some_result(drafts: Drafts, words: int | None, remarks: list[str]) -> Drafts:
    """The steps with an answer, where there was none and no section."""
    sections = _with_role(drafts, "section")
    if len(sections) == 1 and not drafts[sections[0]].executor:
        remarks.append(f"{quote(drafts[sections[0]].name)} is the answer: it is the only section")
        return {**drafts, sections[0]: replace(drafts[sections[0]], role="answer")}
    if sections or not drafts or _with_role(drafts, "answer"):
        return drafts
    unread = [n for n in drafts if n not in readers(drafts) and drafts[n].role != "revision"]
    last = unread[-1] if unread else 0
    if len(unread) == 1 and drafts[last].role is None and not drafts[last].executor:
        return {**drafts, last: replace(drafts[last], role="answer")}
    remarks.append("an answer was added: no step makes the result")
    added = DraftStep(
        number=max(drafts) + 1,
        name=ANSWER_STEP,
        instruction=DESCRIPTION,
        ids=(),
        titles=(),
        named_reads=(),
        role="answer",
        kind="general",
        importance=max(draft.importance for draft in drafts.values()),
        words=words or STEP_WORDS_DEFAULT,
        executor="",
        input=None,
        reads=tuple(unread),
    )
    return {**drafts, added.number: added}


def _without_revision(drafts: Drafts, remarks: list[str]) -> Drafts:
    revisions = _with_role(drafts, "revision")
    if not revisions or not _with_role(drafts, "answer"):
        return drafts
    remarks.append(f"{quote(drafts[revisions[0]].name)} was dropped: it revises an answer")
    return without_steps(drafts, revisions)


def _join_unread(drafts: Drafts, outside: Set[int], remarks: list[str]) -> Drafts:
    """Lets the result read what else nobody would, and drops what can only come after it."""
    results = _with_role(drafts, "answer") or _with_role(drafts, "section")
    while unread := set(_with_role(drafts, "material")) - readers(drafts) - outside:
        for number in sorted(unread):
            drafts = _join(drafts, number, results, remarks)
        lost = unread - readers(drafts)
        remarks += [f"{quote(drafts[n].name)} was dropped: nobody reads it" for n in sorted(lost)]
        drafts = without_steps(drafts, lost)
    for number in sorted(outside - readers(drafts)):
        drafts = _join(drafts, number, results, remarks)
    return drafts


def _join(drafts: Drafts, number: int, results: Collection[int], remarks: list[str]) -> Drafts:
    """Lets those results read a step that do not come before it."""
    for result in results:
        if not comes_after(drafts, number, result):
            draft = drafts[result]
            drafts = {**drafts, result: replace(draft, reads=(*draft.reads, number))}
    if number in readers(drafts):
        remarks.append(f"{quote(drafts[number].name)} joins the result")
    return drafts

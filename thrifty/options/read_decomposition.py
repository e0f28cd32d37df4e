"""Reads a decomposition as what it is: input from a stranger.

What a model writes becomes steps that make sense together, however much of it has to be dropped.
A remark says what that was. Nothing of it is run, sent or counted, and nothing of it is a limit, a
price or the name of a model. Only what the deployment registered can be named to do a step.
"""

from collections.abc import Collection, Iterable
from typing import Any

from thrifty.budget.name_folding import fold_name
from thrifty.executors.plain_json import compact_json
from thrifty.executors.registry import ExecutorRegistry
from thrifty.options.decomposition import (
    PLANNED_STEPS_MAX,
    STEP_NAME_MAX,
    TASK_WORDS_MAX,
    Decomposition,
    PlannedStep,
)
from thrifty.options.direct_answer import AGENT_STEP, ANSWER_STEP
from thrifty.options.json_in_text import find_steps
from thrifty.options.step_fields import DraftStep, quote, read_draft, read_kind, read_number
from thrifty.options.step_inputs import settle_inputs
from thrifty.options.step_reads import Drafts, Labels, settle_reads
from thrifty.options.step_roles import settle_revisions, settle_roles

UNREADABLE = "a model was asked for steps, and none can be read in what it wrote"
ONE_STEP = "one step is left, which is the direct answer"
REMARKS_MAX = 40


def read_decomposition(
    given: object, executors: ExecutorRegistry, documents: Collection[str] = ()
) -> Decomposition:
    """Reads what a model wrote when it was asked for steps, whatever it turns out to be.

    To read the plain data of a decomposition gives the same one, without remarks.

    Args:
        given: the arguments of `plan_steps`, or a text with JSON in it.
        executors: the deployment's.
        documents: the names of what the run was handed.

    Returns:
        Steps that can be done: no two look alike, none waits for itself, each reads what is
        there, and there is one answer or there are sections. No steps where nothing is gained.
    """
    found = find_steps(given)
    if found is None:
        return Decomposition(remarks=(UNREADABLE,))
    remarks: list[str] = []
    kind = read_kind(found.fields.get("kind"), "general")
    words = read_number(found.fields.get("words", found.fields.get("size")), 0, TASK_WORDS_MAX, 0)
    steps = _read_steps(found.steps, executors, documents, words or None, remarks)
    while len({*map(_content, steps)}) < len(steps):  # a model does both, or both are material now
        again = [step.to_state() for step in steps]
        steps = _read_steps(again, executors, documents, words or None, remarks)
    return Decomposition(steps, kind, words or None, tuple(remarks[:REMARKS_MAX]))


def _read_steps(
    given: list[Any],
    executors: ExecutorRegistry,
    documents: Collection[str],
    words: int | None,
    remarks: list[str],
) -> tuple[PlannedStep, ...]:
    if len(given) > PLANNED_STEPS_MAX:
        remarks.append(f"of {len(given)} steps only the first {PLANNED_STEPS_MAX} were read")
    read = (
        read_draft(step, number, tuple(executors.registered), remarks)
        for number, step in enumerate(given[:PLANNED_STEPS_MAX], start=1)
    )
    drafts = {draft.number: draft for draft in read if draft}
    twins = _find_twins(drafts.values(), remarks)
    labels = Labels(tuple(drafts.values()), twins, documents)
    kept = {number: draft for number, draft in drafts.items() if number not in twins}
    kept = settle_reads(settle_revisions(kept, remarks), labels, remarks)
    kept = settle_inputs(kept, labels, executors, remarks)
    kept = settle_roles(kept, executors, words, remarks)
    if len([draft for draft in kept.values() if draft.role != "revision"]) < 2:
        remarks += [ONE_STEP] if kept else []
        return ()
    return _to_steps(kept, labels, documents)


def _find_twins(drafts: Iterable[DraftStep], remarks: list[str]) -> dict[int, int]:
    """The steps that say what an earlier one says, each with that one."""
    first: dict[tuple[str, ...], DraftStep] = {}
    twins: dict[int, int] = {}
    for draft in drafts:
        twin = first.setdefault(_content(draft), draft)
        if twin is not draft:
            twins[draft.number] = twin.number
            remarks.append(f"step {draft.number} was dropped: it repeats {quote(twin.name)}")
    return twins


def _content(step: DraftStep | PlannedStep) -> tuple[str, ...]:
    """What makes a step another one. Sections may differ by their names alone."""
    role = step.role or "material"
    heading = fold_name(step.name) if role == "section" else ""
    return role, heading, fold_name(step.instruction), step.executor, compact_json(step.input)


def _to_steps(
    drafts: Drafts, labels: Labels, documents: Collection[str]
) -> tuple[PlannedStep, ...]:
    names = _unlike_names(drafts, documents)
    return tuple(
        PlannedStep(
            name=names[number],
            instruction=labels.tell_names(draft.instruction, names),
            reads=(*(names[read] for read in draft.reads), *draft.documents),
            role=draft.role or "material",
            kind=draft.kind,
            importance=draft.importance,
            words=draft.words,
            executor=draft.executor,
            input=labels.find_cited(draft, names).input if draft.executor else None,
        )
        for number, draft in drafts.items()
    )


def _unlike_names(drafts: Drafts, documents: Iterable[str]) -> dict[int | str, str]:
    """A name for each step that looks like no other's. The answer has the direct answer's."""
    taken = {fold_name(name) for name in (ANSWER_STEP, AGENT_STEP, *documents)}
    names: dict[int | str, str] = {}
    for number, draft in drafts.items():
        name, count = draft.name, number
        while fold_name(name) in taken:
            name, count = f"{draft.name[: STEP_NAME_MAX - 5].rstrip()} ({count})", count + 1
        names[number] = ANSWER_STEP if draft.role == "answer" else name
        taken.add(fold_name(names[number]))
    return names

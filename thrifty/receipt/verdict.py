"""How a run ended: done, done with warnings, or halted, and why.

Done means that what was required was done by somebody who can. A local template stands in for a
model, and a run in which no model answered is not done by that. Offline nobody expects a model.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from thrifty.budget import LeftOut, Outcome, Plan, Step, StepOption
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.overruns import Overrun
from thrifty.executors.registry import LOCAL, MODEL_EXECUTORS
from thrifty.options.availability import NOTHING
from thrifty.planning.role_rows import excused_beside, has_result
from thrifty.receipt.receipt_data import HaltCause, RunStatus
from thrifty.receipt.wording import join_names

Reason = TypeVar("Reason", bound=Hashable)


@dataclass(frozen=True, slots=True)
class EndFacts:
    """The facts of a run that has ended."""

    halt_reason: str
    """Why it ended before its plan was complete. Empty when it did not."""
    steps: Sequence[Step]
    """All that there are, done or not."""
    outcomes: Sequence[Outcome]
    first_plan: Plan
    last_plan: Plan
    excluded: Sequence[LeftOut]
    """The options that could not be had, and why."""
    model_access: ModelAccess
    """What models can be asked."""
    left_out: Collection[str]
    """The steps and options that a person does not want done."""
    is_offline: bool
    """Whether no model is at hand at all."""
    overruns: Sequence[Overrun]
    in_doubt_count: int
    """How many calls are charged in full, as nobody knows what they cost."""
    substitutes: Sequence[str] = ()
    """Which models answered in the place of others, in words."""

    @property
    def done(self) -> dict[str, Outcome]:
        """By its step, what has left a text. Of several, the last."""
        return {outcome.step: outcome for outcome in self.outcomes if outcome.has_text}


class Verdict(NamedTuple):
    """How a run ended."""

    status: RunStatus
    halt_reason: str
    cause: HaltCause
    warnings: tuple[str, ...]
    """What whoever reads the result should know, in words."""


class _MissingModel(NamedTuple):
    cause: HaltCause
    reason: str
    told: str
    """The same as a halt says it."""


def judge_end(run: EndFacts, executor_label: Callable[[StepOption], str]) -> Verdict:
    """Judges how a run ended.

    Args:
        run: the facts.
        executor_label: who does an option, for a person.
    """
    missing = _find_missing_model(run)
    told = run.halt_reason
    if missing and told.startswith(NOTHING):
        told = missing.told  # which says why
    elif missing and missing.reason not in told:
        told = "; ".join(filter(None, (told, missing.told)))
    warnings = [each for each in _list_warnings(run, executor_label) if not _is_told(each, told)]
    status: RunStatus = "halted" if told else "done"
    return Verdict(status, told, missing.cause if missing else "", tuple(warnings))


def _find_missing_model(run: EndFacts) -> _MissingModel | None:
    """The model that is missing, where that leaves the run undone. None where one answered."""
    if any(outcome.option.executor in MODEL_EXECUTORS for outcome in run.done.values()):
        return None
    for step in run.steps:
        if (missing := _model_missed_by(step, run)) and _is_undone(step, run):
            return missing
    return None


def _model_missed_by(step: Step, run: EndFacts) -> _MissingModel | None:
    """Why no model did a step that one could have done."""
    for outcome in run.outcomes:
        if outcome.step == step.name and outcome.is_unanswered:
            return _MissingModel("model", outcome.reason, f"no model answered: {outcome.reason}")
    for option in step.options:
        if reason := run.model_access.unavailable_reason(option):
            return _MissingModel(_cause_of(option, run.model_access), reason, reason)
    return None


def _cause_of(option: StepOption, access: ModelAccess) -> HaltCause:
    """What kind of reason keeps a model from an option. Empty for one of another kind."""
    if access.lacks_model(option):
        return "model"
    return "price" if access.lacks_price(option) else ""


def _is_undone(step: Step, run: EndFacts) -> bool:
    """Whether a step was not done by somebody who can, and that matters."""
    if outcome := run.done.get(step.name):
        return outcome.option.executor == LOCAL and not run.is_offline
    gone = {left.option for left in run.excluded}
    has_no_way = all(option.name in gone for option in step.options)
    is_required = step.required and step.name not in excused_beside(run.done, run.steps)
    return has_no_way and (is_required or not has_result(run.steps, run.done))


def _list_warnings(run: EndFacts, executor_label: Callable[[StepOption], str]) -> Iterator[str]:
    for reason, names in _group(_failures(run)).items():
        yield f"{join_names(names)} {_was(names)} not done: {reason}"
    if sections := _replaced_sections(run):
        yield f"a direct answer took the place of {join_names(sections)}"
    for (reason, by), names in _group(_fallbacks(run, executor_label)).items():
        yield f"{join_names(names)} fell back to {by}: {reason}"
    if cut := [outcome.step for outcome in run.done.values() if outcome.status == "cut"]:
        yield f"{join_names(cut)} {_was(cut)} cut short"
    for outcome in run.done.values():
        for result in outcome.failed_checks:
            yield f"{outcome.step} failed the check {result.check!r}: {result.reason}"
    yield from (overrun.reason for overrun in run.overruns)
    yield from (f"{each}: charged at the dearer price" for each in run.substitutes)
    if count := run.in_doubt_count:
        calls = "1 call is" if count == 1 else f"{count:,} calls are"
        yield f"{calls} in doubt and charged in full"


def _replaced_sections(run: EndFacts) -> list[str]:
    """The sections that were planned first, or are done, where there is an answer in the end."""
    role_of = {step.name: step.role for step in run.steps}
    if not any(role_of[name] == "answer" for name in run.done):
        return []
    wanted = [*(option.step for option in run.first_plan.chosen), *run.done]
    return [name for name in dict.fromkeys(wanted) if role_of[name] == "section"]


def _failures(run: EndFacts) -> Iterator[tuple[str, str]]:
    """The steps that a plan had and that were lost, each after its reason.

    What did not fit in the budget is no failure: the receipt names the limit.
    """
    done = run.done
    lost = {outcome.step: outcome.reason for outcome in run.outcomes if _is_failure(outcome)}
    reasons = {left.option: left.reason for left in run.excluded}
    planned = (*run.first_plan.chosen, *run.last_plan.chosen)
    tried = {outcome.option.name for outcome in run.outcomes}
    for option in planned:
        is_wanted = option.name not in run.left_out and option.step not in run.left_out
        if is_wanted and option.name not in tried and option.name in reasons:
            lost.setdefault(option.step, reasons[option.name])
    yield from ((reason, step) for step, reason in lost.items() if step not in done)


def _fallbacks(
    run: EndFacts, executor_label: Callable[[StepOption], str]
) -> Iterator[tuple[tuple[str, str], str]]:
    """The steps that somebody else did than who failed, each after the reason and who it was."""
    done = run.done
    for outcome in run.outcomes:
        if _is_failure(outcome) and (stand_in := done.get(outcome.step)):
            yield (outcome.reason, executor_label(stand_in.option)), outcome.step


def _is_failure(outcome: Outcome) -> bool:
    return outcome.status in ("failed", "skipped") and not outcome.short_of


def _is_told(warning: str, halt_reason: str) -> bool:
    """Whether the reason of a halt says the same."""
    _, _, reason = warning.partition(": ")
    return bool(reason) and reason in halt_reason


def _group(pairs: Iterator[tuple[Reason, str]]) -> Mapping[Reason, list[str]]:
    groups: dict[Reason, list[str]] = {}
    for reason, name in dict.fromkeys(pairs):  # of two attempts at a step it is told once
        groups.setdefault(reason, []).append(name)
    return groups


def _was(names: Sequence[str]) -> str:
    return "was" if len(names) == 1 else "were"

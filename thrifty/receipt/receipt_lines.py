"""The lines of a receipt, made from the plans, the attempts and what was paid beside them."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace

from thrifty.budget import Outcome, Plan, Spend, StepOption
from thrifty.receipt.receipt_data import ReceiptLine, ReceiptLineStatus

NOT_BEGUN = "the run ended before it was begun"
REPLACED = "a direct answer took its place"


def make_receipt_lines(
    first_plan: Plan,
    last_plan: Plan,
    outcomes: Sequence[Outcome],
    values: Mapping[str, float],
    overheads: Iterable[tuple[str, Spend]],
    replaced: Container[str] = (),
) -> tuple[ReceiptLine, ...]:
    """The rows: overheads first, then attempts as they ended, then what was never tried.

    Args:
        first_plan: what was expected before anything ran.
        last_plan: the plan in force at the end.
        outcomes: every attempt.
        values: by the option that did it, what each step is worth that is done.
        overheads: what was paid beside the steps, and what for.
        replaced: the steps that an answer took the place of.
    """
    first_chosen, last_chosen = (_as_tried(plan.chosen) for plan in (first_plan, last_plan))
    planned = {option.name: option.estimate for option in first_chosen}
    tried = {outcome.option.name for outcome in outcomes}
    options = {option.name: option for option in (*first_chosen, *last_chosen)}
    done = {outcome.step: outcome.option for outcome in outcomes if outcome.has_text}
    untried = (option for name, option in options.items() if name not in tried)
    return (
        # A run begins with the call for proposals: nothing else is paid beside the steps.
        *(
            ReceiptLine(what, "", "overhead", None, spend, 0.0, "", 0, spend.latency_ms)
            for what, spend in overheads
        ),
        *(
            _attempt_line(outcome, planned, values, _why_replaced(outcome, done, replaced))
            for outcome in outcomes
        ),
        *(
            ReceiptLine(
                option.name,
                option.executor,
                status,
                planned.get(option.name),
                Spend(),
                0.0,
                reason,
            )
            for option in untried
            for status, reason in [_why_untried(option, last_plan, done.get(option.step))]
        ),
    )


def _as_tried(chosen: Iterable[StepOption]) -> list[StepOption]:
    """The options of a plan by the names under which they are tried: of a cascade, the first. A
    result that is kept was tried before."""
    return [
        replace(option, name=option.cascade.first) if option.cascade else option
        for option in chosen
        if not option.is_kept
    ]


def _why_untried(
    option: StepOption, last_plan: Plan, done: StepOption | None
) -> tuple[ReceiptLineStatus, str]:
    """What became of an option of a plan that was never tried, and why.

    Args:
        option: of the first plan or the last one.
        last_plan: the plan in force at the end.
        done: the option by which its step was done. None where it was not.
    """
    if done:
        return "replaced", f"{done.name!r} was done instead"
    for kept in _as_tried(last_plan.chosen):
        if kept.name == option.name:
            return "skipped", NOT_BEGUN
        if kept.step == option.step:
            return "replaced", f"{kept.name!r} was planned instead"
    reasons = {each.option: each.reason for each in last_plan.left_out}
    return "dropped", reasons.get(option.name, "a later plan did without it")


def _why_replaced(
    outcome: Outcome, done: Mapping[str, StepOption], replaced: Container[str]
) -> str:
    """Why the text of an attempt does not count. Empty where it does, or there is none."""
    if not outcome.has_text:
        return ""
    by = done[outcome.step].name
    if by != outcome.option.name:
        return f"{by!r} took its place"
    return REPLACED if outcome.step in replaced else ""


def _attempt_line(
    outcome: Outcome,
    planned: Mapping[str, Spend],
    values: Mapping[str, float],
    why_replaced: str,
) -> ReceiptLine:
    """The line of an attempt.

    Args:
        outcome: what became of it.
        planned: by option, what was expected first.
        values: by option, what each step is worth that is done.
        why_replaced: why its text does not count. Empty where it does.
    """
    name = outcome.option.name
    failed = [f"failed the check {each.check!r}: {each.reason}" for each in outcome.failed_checks]
    return ReceiptLine(
        label=name,
        executor=outcome.option.executor,
        status="rejected" if failed and why_replaced else outcome.status,
        planned=planned.get(name),
        actual=outcome.actual,
        value=values.get(name, 0.0) if outcome.has_text and not why_replaced else 0.0,
        reason="; ".join(filter(None, (why_replaced or outcome.reason, *failed))),
        started_ms=outcome.started_ms,
        ended_ms=outcome.ended_ms,
    )

"""What lies ahead of a run: the planning problem of what is left to do and to spend."""

from collections import Counter
from collections.abc import Callable, Sequence

from typing_extensions import TypedDict

from thrifty.budget import Budget, LeftOut, Outcome, Step, StepOption
from thrifty.budget.outcome import OutcomeState
from thrifty.budget.spend import SpendState
from thrifty.budget.step import StepState
from thrifty.executors.offer import Terms, offer
from thrifty.nodes.context import Context
from thrifty.nodes.services import Services
from thrifty.nodes.state import Run
from thrifty.planning.problem import Problem

FAILURES_MAX = 2
"""So many failures of an executor in one run, and it is not tried again."""


class Facts(TypedDict):
    """The part of the state that says what is done and what could be."""

    run: Run
    proposed: list[StepState]
    outcomes: list[OutcomeState]
    spend: SpendState
    revision: int


def outlook(
    facts: Facts, context: Context, services: Services
) -> tuple[Problem, tuple[LeftOut, ...]]:
    """The problem that a plan made now would solve, and the options that are out of the question.

    Only what is done is settled: everything else may be chosen anew.
    """
    outcomes = [Outcome.from_state(outcome) for outcome in facts["outcomes"]]
    finished = {outcome.step for outcome in outcomes if outcome.has_text}
    steps = all_steps(facts, services)
    done = tuple(step for step in steps if step.name in finished)
    open_steps = [step for step in steps if step.name not in finished]
    terms = terms_of(facts["run"], context, services)
    offered, barred = offer(open_steps, terms, barred_by(outcomes))
    problem = Problem(
        steps=offered,
        left=services.left(facts["run"]["id"], facts["spend"]["latency_ms"]),
        max_steps=max(0, context.max_steps - len(done)),
        diversity_penalty=context.diversity_penalty,
        done=done,
    )
    return problem, barred


def all_steps(facts: Facts, services: Services) -> tuple[Step, ...]:
    """The catalog's steps and the proposed ones."""
    return (*services.steps, *(Step.from_state(step) for step in facts["proposed"]))


def terms_of(run: Run, context: Context, services: Services) -> Terms:
    """What models the run can ask, and at what price."""
    return Terms(
        model=context.model,
        prices=services.models.prices,
        is_offline=services.models.is_offline,
        limits_cost=Budget.from_state(run["budget"]).max_cost_usd is not None,
    )


def barred_by(outcomes: Sequence[Outcome]) -> Callable[[StepOption], str]:
    """Tells of an option why what happened so far rules it out."""
    failed = {outcome.option.name: outcome.reason for outcome in outcomes if not outcome.has_text}
    out_of_order = _out_of_order(outcomes)

    def barred(option: StepOption) -> str:
        if option.name in failed:
            return f"was tried: {failed[option.name]}"
        if option.executor in out_of_order:
            return f"{option.executor} is out of order: {out_of_order[option.executor]}"
        return ""

    return barred


def _out_of_order(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """The executors that have shown, at once or by repeated failure, that they do not work."""
    disabled = {outcome.disables: outcome.reason for outcome in outcomes if outcome.disables}
    failures = [outcome for outcome in outcomes if outcome.status == "failed"]
    for executor, count in Counter(outcome.option.executor for outcome in failures).items():
        if count >= FAILURES_MAX:
            disabled.setdefault(executor, f"it failed {count} times")
    return disabled

"""What lies ahead of a run: the planning problem of what is left to do and to spend."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from typing_extensions import TypedDict

from thrifty.budget import Budget, LeftOut, Outcome, PriceUnknown, Step, StepOption
from thrifty.budget.outcome import OutcomeState
from thrifty.budget.spend import SpendState
from thrifty.budget.step import StepState
from thrifty.executors.registry import LLM
from thrifty.models.envelope import with_cost
from thrifty.nodes.context import Context
from thrifty.nodes.services import Services
from thrifty.nodes.state import Run
from thrifty.planning.menu import menu
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
    left = services.left(facts["run"]["id"], facts["spend"]["latency_ms"])
    if left.max_cost_usd is not None:
        open_steps = [_priced(step, context, services) for step in open_steps]
    offered, barred = menu(open_steps, barred_by(outcomes, context, services, left))
    problem = Problem(
        steps=offered,
        left=left,
        max_steps=max(0, context.max_steps - len(done)),
        diversity_penalty=context.diversity_penalty,
        done=done,
    )
    return problem, barred


def all_steps(facts: Facts, services: Services) -> tuple[Step, ...]:
    """The catalog's steps and the proposed ones."""
    return (*services.steps, *(Step.from_state(step) for step in facts["proposed"]))


def model_of(option: StepOption, context: Context) -> str:
    """The model that would do it: the option's own, or that of the context."""
    return str(option.payload.get("model", context.model))


def _priced(step: Step, context: Context, services: Services) -> Step:
    """The step with the costs of its model options filled in, where a price is known."""

    def priced(option: StepOption) -> StepOption:
        if option.executor != LLM:
            return option
        try:
            return with_cost(option, model_of(option, context), services.models.prices)
        except PriceUnknown:
            return option

    return replace(step, options=tuple(priced(option) for option in step.options))


def barred_by(
    outcomes: Sequence[Outcome], context: Context, services: Services, left: Budget
) -> Callable[[StepOption], str]:
    """Tells of an option why it cannot be chosen."""
    failed = {outcome.option.name: outcome.reason for outcome in outcomes if not outcome.has_text}
    disabled = _out_of_order(outcomes)

    def barred(option: StepOption) -> str:
        if option.name in failed:
            return f"was tried: {failed[option.name]}"
        if option.executor in disabled:
            return f"{option.executor} is out of order: {disabled[option.executor]}"
        if option.executor != LLM:
            return ""
        if services.models.is_offline:
            return "offline: no key and no server"
        if left.max_cost_usd is not None:
            return services.models.prices.why_unknown(model_of(option, context))
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

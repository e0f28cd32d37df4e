"""What lies ahead of a run: the planning problem of what is left to do and to spend."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from langgraph.managed import RemainingSteps
from typing_extensions import TypedDict

from thrifty.budget import Budget, LeftOut, Outcome, Step, StepOption
from thrifty.budget.outcome import OutcomeState
from thrifty.budget.spend import SpendState
from thrifty.budget.step import StepState, in_running_order
from thrifty.estimates.learned import Learned, LearnedState
from thrifty.executors.offer import Terms, offer, priced
from thrifty.nodes.context import Context
from thrifty.nodes.logbook import Logbook
from thrifty.nodes.services import Services
from thrifty.nodes.state import Run
from thrifty.planning.forecast import Bill
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
    left_out: list[str]
    learned: LearnedState
    remaining_steps: RemainingSteps


def outlook(
    facts: Facts, context: Context, services: Services
) -> tuple[Problem, tuple[LeftOut, ...]]:
    """The problem that a plan made now would solve, and the options that are out of the question.

    Only what is done is settled: everything else may be chosen anew, and is estimated by what
    this run's bills, and earlier ones, came to so far.
    """
    logbook = services.logbook(facts)
    problem, barred = logbook.once(
        "outlook",
        (len(logbook.outcomes), facts["left_out"], facts["run"]["budget"]),
        lambda: _outlook(facts, logbook, context, services),
    )
    left = services.left(facts["run"]["id"], facts["spend"]["latency_ms"])
    return replace(problem, left=left), barred


def _outlook(
    facts: Facts, logbook: Logbook, context: Context, services: Services
) -> tuple[Problem, tuple[LeftOut, ...]]:
    """The outlook but for what is left, which is another at every moment."""
    terms = terms_of(facts["run"], context, services)
    learned = logbook.once(
        "learned", facts["learned"], lambda: Learned.from_state(facts["learned"])
    )
    steps = logbook.once(
        "steps", terms, lambda: learned.steps(priced(all_steps(facts, services), terms))
    )
    menu, barred = logbook.once(
        "menu",
        (terms, facts["left_out"], len(logbook.failures)),
        lambda: offer(steps, terms, barred_by(logbook.failures, facts["left_out"])),
    )
    done = tuple([step for step in steps if step.name in logbook.finished])
    offered = [step for step in menu if step.name not in logbook.finished]
    seen = logbook.seen(lambda new: bills_of(new, terms), learned.tallies)
    problem = Problem(
        steps=seen.steps(offered, terms.doer),
        left=Budget.from_state(facts["run"]["budget"]),
        max_steps=max(0, context.max_steps - len(done)),
        diversity_penalty=context.diversity_penalty,
        done=done,
        concurrency=context.max_concurrency,
        schedule="waves",
        risk=context.risk,
        surprises=learned.surprises,
    )
    return problem, tuple([left for left in barred if left.step not in logbook.finished])


def bills_of(outcomes: Iterable[Outcome], terms: Terms) -> tuple[Bill, ...]:
    """What the work that was done came to; work that failed says nothing of what work costs."""
    return tuple(
        Bill(outcome.option, terms.doer(outcome.option), outcome.actual)
        for outcome in outcomes
        if outcome.has_text
    )


def all_steps(facts: Facts, services: Services) -> tuple[Step, ...]:
    """The catalog's steps and the proposed ones."""
    return (*services.steps, *(Step.from_state(step) for step in facts["proposed"]))


def steps_in_order(facts: Facts, services: Services) -> tuple[Step, ...]:
    """The same in the order in which they would run, which is that of the draft."""
    return services.logbook(facts).once(
        "order", None, lambda: in_running_order(all_steps(facts, services))
    )


def by_name(facts: Facts, services: Services) -> tuple[dict[str, Step], dict[str, StepOption]]:
    """Every step by its name, and every option by its own, as declared."""
    steps = steps_in_order(facts, services)
    return services.logbook(facts).once(
        "names",
        None,
        lambda: (
            {step.name: step for step in steps},
            {option.name: option for step in steps for option in step.options},
        ),
    )


def terms_of(run: Run, context: Context, services: Services) -> Terms:
    """What models the run can ask, and at what price."""
    return Terms(
        model=context.model,
        prices=services.models.prices,
        is_offline=services.models.is_offline,
        limits_cost=Budget.from_state(run["budget"]).max_cost_usd is not None,
    )


def barred_by(
    outcomes: Sequence[Outcome], left_out: Collection[str] = ()
) -> Callable[[StepOption], str]:
    """Tells of an option why what happened so far, or a person, rules it out."""
    failed = {o.option.name: o.reason for o in outcomes if o.status in ("failed", "skipped")}
    out_of_order = _out_of_order(outcomes)

    def barred(option: StepOption) -> str:
        if option.name in left_out or option.step in left_out:
            return "a person left it out"
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

"""What lies ahead of a run: the planning problem of what is left to do and to spend."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from langgraph.managed import RemainingSteps
from typing_extensions import TypedDict

from thrifty.budget import Budget, LeftOut, Outcome, Step, StepOption
from thrifty.budget.states import OutcomeState, PlanState, SpendState, StepState
from thrifty.budget.step_set import in_running_order
from thrifty.estimates.learned import Learned, LearnedState
from thrifty.executors.offer import Terms, hopeless, offer, priced
from thrifty.nodes.context import Context
from thrifty.nodes.logbook import Logbook
from thrifty.nodes.services import Services
from thrifty.nodes.state import Run
from thrifty.planning.forecast import Bill, Seen
from thrifty.planning.problem import Problem
from thrifty.planning.rest import Rest

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


class Planned(Facts):
    """The same of a run that has a plan."""

    plan: PlanState


class Choice(NamedTuple):
    """What there is to choose from, as it is declared; it changes with failures alone."""

    terms: Terms
    learned: Learned
    steps: tuple[Step, ...]
    """All that there are, done or not."""
    offered: tuple[Step, ...]
    """What of them can be had."""
    barred: tuple[LeftOut, ...]
    """What cannot, and why."""


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
    choice = _choice(facts, logbook, context, services)
    offered, done = _open_and_done(choice, logbook)
    problem = Problem(
        steps=_seen(choice, logbook).steps(offered, choice.terms.doer),
        left=Budget.from_state(facts["run"]["budget"]),
        max_steps=max(0, context.max_steps - len(done)),
        diversity_penalty=context.diversity_penalty,
        done=done,
        concurrency=context.max_concurrency,
        schedule="waves",
        risk=context.risk,
        surprises=choice.learned.surprises,
    )
    return problem, tuple([left for left in choice.barred if left.step not in logbook.finished])


def lost(facts: Facts, context: Context, services: Services) -> str:
    """Why there is no plan any more, whatever is left to spend; empty as long as there may be."""
    logbook = services.logbook(facts)
    choice = _choice(facts, logbook, context, services)
    return logbook.once(
        "lost",
        choice,
        lambda: hopeless(choice.steps, choice.offered, choice.barred, logbook.finished),
    )


def rest_of(planned: Planned, context: Context, services: Services) -> Rest:
    """The rest of the plan in force, estimated like the outlook."""
    logbook = services.logbook(planned)
    choice = _choice(planned, logbook, context, services)
    seen = _seen(choice, logbook)
    plan = logbook.plan(planned["plan"])
    limits = services.limits(planned["run"]["id"])
    # A limit on a schedule wants the order in which it was planned.
    is_timed = context.max_concurrency > 1 and limits.max_latency_ms is not None
    waits_for_savings = context.on_drift == "replan" and not is_timed

    def make() -> Rest:
        offered, done = _open_and_done(choice, logbook)
        return Rest(
            plan.chosen,
            offered,
            done,
            max_steps=context.max_steps,
            diversity_penalty=context.diversity_penalty,
            seen=seen,
            doer_of=choice.terms.doer,
            upgradable_last=waits_for_savings,
        )

    steps, _ = by_name(planned, services)
    return logbook.rest((plan, choice, waits_for_savings), make, steps)


def _choice(facts: Facts, logbook: Logbook, context: Context, services: Services) -> Choice:
    terms = terms_of(facts["run"], context, services)
    learned = logbook.once(
        "learned", facts["learned"], lambda: Learned.from_state(facts["learned"])
    )
    steps = logbook.once(
        "steps", terms, lambda: learned.steps(priced(all_steps(facts, services), terms))
    )

    def make() -> Choice:
        barred = barred_by(logbook.failures, facts["left_out"])
        return Choice(terms, learned, steps, *offer(steps, terms, barred))

    return logbook.once("choice", (terms, facts["left_out"], len(logbook.failures)), make)


def _open_and_done(choice: Choice, logbook: Logbook) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """The steps that may still be chosen, and those that are done."""
    finished = logbook.finished
    return (
        tuple([step for step in choice.offered if step.name not in finished]),
        tuple([step for step in choice.steps if step.name in finished]),
    )


def _seen(choice: Choice, logbook: Logbook) -> Seen:
    """What the bills so far, of this run and of earlier ones, say of the estimates."""
    return logbook.seen(lambda new: bills_of(new, choice.terms), choice.learned.tallies)


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

"""Picks the steps that are ready, reserves their worst case, and hands them to their executors."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from langgraph.runtime import Runtime

from thrifty.budget import Outcome, Spend, Step, StepOption, total
from thrifty.budget.decision import Decision
from thrifty.executors.dispatch import Desk, Dispatched
from thrifty.executors.registry import LOCAL
from thrifty.executors.step_limit import least_needed
from thrifty.nodes.context import Context
from thrifty.nodes.outlook import Planned, by_name, rest_of, steps_in_order, terms_of
from thrifty.nodes.services import Services
from thrifty.nodes.state import Assignment, growth
from thrifty.planning.rest import Rest
from thrifty.planning.wave import ready_wave


def route(state: Planned, runtime: Runtime[Context], *, services: Services) -> dict[str, Any]:
    """Sends the next wave; what no longer fits is downgraded, or skipped with its reason."""
    context, run = Context.of(runtime.context), state["run"]
    logbook = services.logbook(state)
    steps, catalog = by_name(state, services)
    rest = rest_of(state, context, services)
    ready = ready_wave(rest.options.values(), steps, logbook.finished, context.max_concurrency)
    orphans = [orphan for o in ready if (orphan := orphaned(o, steps, logbook.finished))]
    ready = () if orphans else ready
    menu = {option.step: rest.step(option.step) for option in ready}
    wave = [menu[option.step].option(option.name) for option in ready]
    desk = Desk(
        ledger=services.ledger,
        account=services.account(run["id"]),
        prefix=f"{run['id']}/steps",
        task=run["task"],
        draft=logbook.draft(lambda: steps_in_order(state, services)),
        terms=terms_of(run, context, services),
        catalog=catalog,
        left=lambda: services.left(run["id"], state["spend"]["latency_ms"]),
        kept_back=kept_for_the_end(rest, menu, catalog),
    )
    sent = desk.dispatch(wave, menu)
    sent = replace(sent, skipped=(*sent.skipped, *orphans))
    at_ms = services.runs.active_ms(run["id"], state["spend"]["latency_ms"])
    return {
        "wave": wave_of(sent, kept_ms(rest, wave), logbook.stopped),
        **growth(
            outcomes=[outcome.to_state() for outcome in sent.skipped],
            decisions=[decision.to_state() for decision in decisions_of(sent, at_ms)],
        ),
    }


def orphaned(
    option: StepOption, steps: Mapping[str, Step], finished: Container[str]
) -> Outcome | None:
    """The end of an option that requires what was not done and will not be; None of any other."""
    missing = [name for name in steps[option.step].requires if name not in finished]
    if not missing:
        return None
    were = "were" if len(missing) > 1 else "was"
    reason = f"it requires {', '.join(map(repr, missing))}, which {were} not done"
    return Outcome(option, "skipped", reason=reason)


def kept_for_the_end(
    rest: Rest, sent_now: Iterable[str], catalog: Mapping[str, StepOption]
) -> Spend:
    """What the plan's final revisions need at the least, however far the sections outgrow theirs.

    That is the cheapest way to do each; time is not kept, as `kept_ms` sees to that.
    """
    revisions = map(rest.step, rest.revisions.difference(sent_now))
    cheapest = (
        min((least_needed(o, catalog[o.name].estimate) for o in step.options), key=_dearness)
        for step in revisions
    )
    return replace(total(cheapest), latency_ms=0)


def _dearness(estimate: Spend) -> tuple[int, int, int]:
    return estimate.tool_calls, estimate.cost_nano_usd, estimate.tokens


def kept_ms(rest: Rest, wave: Sequence[StepOption]) -> int:
    """What later local steps need: a call that hangs must not take their milliseconds too."""
    now = sum(option.estimate.latency_ms for option in wave if option.executor == LOCAL)
    return rest.expected(LOCAL).latency_ms - now


def wave_of(sent: Dispatched, kept_ms: int, stopped: Mapping[str, Spend]) -> list[Assignment]:
    """The assignments as plain data; `stopped` is what each option was charged for in vain."""
    return [
        Assignment(
            option=assignment.work.option.to_state(),
            key=assignment.key,
            reserved=assignment.reserved.to_state(),
            draft=assignment.work.draft,
            untouched=assignment.untouched,
            revises=assignment.work.revises,
            kept_ms=kept_ms,
            told=stopped.get(assignment.work.option.name, Spend()).to_state(),
        )
        for assignment in sent.assignments
    ]


def decisions_of(sent: Dispatched, at_ms: int) -> list[Decision]:
    """Where the wave is not what the plan said, and why."""
    moved = [f"{each.step} moved to {each.to!r}: {each.reason}" for each in sent.moved]
    skipped = [f"{each.step} was skipped: {each.reason}" for each in sent.skipped]
    return [
        *(Decision("downgrade", reason, at_ms) for reason in moved),
        *(Decision("skip", reason, at_ms) for reason in skipped),
    ]

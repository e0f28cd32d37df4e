"""Picks the steps that are ready, reserves their worst case, and hands them to their executors."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from langgraph.runtime import Runtime

from thrifty.budget import Outcome, Spend, Step, StepOption, total_spend
from thrifty.budget.decision import Decision
from thrifty.executors.dispatch import Dispatcher, DispatchResult
from thrifty.executors.registry import LOCAL
from thrifty.executors.step_limit import least_needed
from thrifty.nodes.context import Context
from thrifty.nodes.state import additions
from thrifty.run.active_time import active_ms
from thrifty.run.all_steps import steps_by_name, steps_in_order
from thrifty.run.assignment import AssignmentState
from thrifty.run.choices import terms_of
from thrifty.run.facts import PlannedFacts
from thrifty.run.remaining_plan import remaining_plan
from thrifty.run.run_cache import RunCache
from thrifty.run.services import Services
from thrifty.steering.ready import ready_options
from thrifty.steering.remaining import RemainingPlan


def route(state: PlannedFacts, runtime: Runtime[Context], *, services: Services) -> dict[str, Any]:
    """Sends what is ready; what no longer fits is downgraded, or skipped with its reason."""
    context, cache = Context.of(runtime.context), services.cache_of(state)
    steps, _ = steps_by_name(state, services)
    remaining = remaining_plan(state, context, services)
    ready = ready_options(
        remaining.options_by_step.values(), steps, cache.finished, context.max_concurrency
    )
    orphans = [orphan for o in ready if (orphan := skip_orphan(o, steps, cache.finished))]
    # Nothing else could start beside one, so nothing is lost.
    ready = () if orphans else ready
    # Estimated by the bills so far, not as they were planned.
    menu = {option.step: remaining.forecast_step(option.step) for option in ready}
    wanted = [menu[option.step].option(option.name) for option in ready]
    sent = _dispatcher(state, remaining, menu, context, services).dispatch(wanted, menu)
    sent = replace(sent, skipped=(*sent.skipped, *orphans))
    return {
        "assignments": assignments_of(sent, later_local_ms(remaining, wanted), cache),
        **additions(
            outcomes=cache.write_all(sent.skipped),
            decisions=cache.write_all(decisions_of(sent, active_ms(state, services))),
        ),
    }


def _dispatcher(
    state: PlannedFacts,
    remaining: RemainingPlan,
    menu: Mapping[str, Step],
    context: Context,
    services: Services,
) -> Dispatcher:
    run = state["run"]
    _, catalog = steps_by_name(state, services)
    return Dispatcher(
        ledger=services.ledger,
        account=services.account(run["id"]),
        prefix=f"{run['id']}/steps",
        task=run["task"],
        draft=services.cache_of(state).draft(lambda: steps_in_order(state, services)),
        model_access=terms_of(run, context, services),
        catalog=catalog,
        left=lambda: services.remaining_budget(run["id"], state["spend"]["latency_ms"]),
        kept_back=needed_for_revisions(remaining, menu, catalog),
    )


def skip_orphan(
    option: StepOption, steps: Mapping[str, Step], finished: Container[str]
) -> Outcome | None:
    """Skips an option that requires what was not done and will not be; None for any other."""
    missing = [name for name in steps[option.step].requires if name not in finished]
    if not missing:
        return None
    were = "were" if len(missing) > 1 else "was"
    reason = f"it requires {', '.join(map(repr, missing))}, which {were} not done"
    return Outcome(option, "skipped", reason=reason)


def needed_for_revisions(
    remaining: RemainingPlan, sent_now: Iterable[str], catalog: Mapping[str, StepOption]
) -> Spend:
    """What the plan's final revisions need at the least, however far the sections outgrow theirs.

    That is the cheapest way to do each; time is not kept, as `later_local_ms` sees to that.
    """
    revisions = map(remaining.forecast_step, remaining.revision_steps.difference(sent_now))
    cheapest = (
        min((least_needed(o, catalog[o.name].estimate) for o in step.options), key=_dearness)
        for step in revisions
    )
    return replace(total_spend(cheapest), latency_ms=0)


def _dearness(estimate: Spend) -> tuple[int, int, int]:
    return estimate.tool_calls, estimate.cost_nano_usd, estimate.tokens


def later_local_ms(remaining: RemainingPlan, wanted: Sequence[StepOption]) -> int:
    """What later local steps need: a call that hangs must not take their milliseconds too."""
    now = sum(option.estimate.latency_ms for option in wanted if option.executor == LOCAL)
    return remaining.expected_spend(LOCAL).latency_ms - now


def assignments_of(sent: DispatchResult, kept_ms: int, cache: RunCache) -> list[AssignmentState]:
    """The assignments as plain data."""
    return [
        AssignmentState(
            option=cache.write(assignment.work.option),
            key=assignment.key,
            reserved=cache.write(assignment.reserved),
            draft=assignment.work.draft,
            untouched=assignment.untouched,
            revises=assignment.work.revises,
            kept_ms=kept_ms,
            charged_before=cache.write(cache.stopped.get(assignment.work.option.name, Spend())),
        )
        for assignment in sent.assignments
    ]


def decisions_of(sent: DispatchResult, at_ms: int) -> list[Decision]:
    """Where what was sent is not what the plan said, and why."""
    moved = [f"{each.step} moved to {each.to!r}: {each.reason}" for each in sent.downgrades]
    skipped = [f"{each.step} was skipped: {each.reason}" for each in sent.skipped]
    return [
        *(Decision("downgrade", reason, at_ms) for reason in moved),
        *(Decision("skip", reason, at_ms) for reason in skipped),
    ]

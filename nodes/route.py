"""Picks the steps that are ready, reserves their worst case, and hands them to their executors."""

from collections.abc import Container, Iterable
from dataclasses import replace
from typing import Any

from langgraph.runtime import Runtime

from thrifty.budget import BudgetExceeded, Outcome, Spend, Step, StepOption, total_spend
from thrifty.budget.decision import Decision
from thrifty.executors.dispatch import Assignment, Dispatcher, Move
from thrifty.nodes.context import Context
from thrifty.nodes.state import additions
from thrifty.receipt.wording import join_names
from thrifty.run.assignment import AssignmentState, step_key
from thrifty.run.current_run import CurrentRun
from thrifty.run.facts import RunFacts
from thrifty.run.kept_back import needed_later
from thrifty.run.run_cache import RunCache
from thrifty.run.services import Services
from thrifty.steering.plan_changes import kind_of_move
from thrifty.steering.ready import ready_options


class RouteInput(RunFacts):
    """What this node reads."""

    kept_out: dict[str, dict[str, str]]


def route(
    state: RouteInput, runtime: Runtime[Context], *, run_id: str, services: Services
) -> dict[str, Any]:
    """Sends what is ready. What no longer fits is downgraded, or skipped with its reason."""
    context = Context.of(runtime.context)
    run = CurrentRun(state, context, services, run_id)
    steps, finished, remaining = run.steps_by_name(), run.cache.finished, run.remaining()
    # What is done once more is not there yet for those that read it.
    settled = finished - remaining.options_by_step.keys()
    ready = ready_options(remaining.options_by_step, steps, settled, context.max_concurrency)
    orphans = [orphan for o in ready if (orphan := _skip_orphan(o, steps[o.step], finished))]
    # Nothing else could start beside one, so nothing is lost.
    ready = () if orphans else ready
    # Estimated by the bills so far, not as they were planned.
    forecast = {option.step: remaining.forecast_step(option.step) for option in ready}
    # Of two attempts, the first is sent. Whether there is a second, its check says.
    wanted = [forecast[o.step].option(o.cascade.first if o.cascade else o.name) for o in ready]
    kept = needed_later(remaining, wanted, run.declared_options(), run.left())
    dispatched = _dispatcher(run, kept).dispatch(wanted, forecast)
    skipped = [*dispatched.skipped, *orphans]
    told = filter(None, (_describe_handed(each, run) for each in dispatched.assignments))
    decisions = _decisions(dispatched.moves, skipped, told, run.active_ms())
    return {
        "assignments": [
            _to_state(each, steps[each.work.option.step], kept.latency_ms, run.cache)
            for each in dispatched.assignments
        ],
        "kept_out": {**state["kept_out"], **_kept_out(dispatched.moves, run)},
        **additions(
            outcomes=run.cache.write_all(skipped), decisions=run.cache.write_all(decisions)
        ),
    }


def _dispatcher(run: CurrentRun, kept: Spend) -> Dispatcher:
    return Dispatcher(
        ledger=run.services.ledger,
        account=run.services.account(run.id),
        key_of=lambda option: step_key(option, run.services),
        draft=run.draft(),
        results=run.results(),
        estimator=run.estimator,
        left=run.left,
        given=run.limits,
        catalog=run.declared_options(),
        replaced=run.replaceable_steps(),
        kept_back=replace(kept, latency_ms=0),  # time is cut, not reserved
    )


def _skip_orphan(option: StepOption, step: Step, finished: Container[str]) -> Outcome | None:
    """Skips an option that requires what was not done and will not be. None for any other."""
    missing = [name for name in step.requires if name not in finished]
    if not missing:
        return None
    were = "were" if len(missing) > 1 else "was"
    reason = f"it requires {', '.join(map(repr, missing))}, which {were} not done"
    return Outcome(option, "skipped", reason=reason)


def _to_state(assignment: Assignment, step: Step, kept_ms: int, cache: RunCache) -> AssignmentState:
    option = assignment.work.option
    stopped = [o for o in cache.outcomes if o.status == "stopped" and o.option.name == option.name]
    return AssignmentState(
        option=cache.write(option),
        reserved=cache.write(assignment.reserved),
        reads=list(assignment.work.results),
        absent=list(assignment.work.absent),
        answers=step.role == "answer",
        revises=assignment.work.revises,
        revised_parts=assignment.revised_parts,
        kept_ms=kept_ms,
        charged_before=cache.write(total_spend(outcome.actual for outcome in stopped)),
    )


def _describe_handed(assignment: Assignment, run: CurrentRun) -> str:
    """What an answer is handed that it takes the place of. Empty for any other step."""
    work, names = assignment.work, run.replaceable_steps()
    if not names or run.steps_by_name()[work.option.step].role != "answer":
        return ""
    handed = [name for name in names if name in work.results]
    withheld = [name for name in names if name not in work.results]
    parts = [f"{work.option.name!r} takes the place of what is done"]
    if handed:
        parts.append(f"it is handed {join_names(handed)}")
    if withheld:
        parts.append(f"there is no room for {join_names(withheld)}")
    return "; ".join(parts)


def _decisions(
    moves: Iterable[Move], skipped: Iterable[Outcome], told: Iterable[str], at_ms: int
) -> list[Decision]:
    """Where what is done now is not what the plan said, and why."""
    skips = [f"{each.step} was skipped: {each.reason}" for each in skipped]
    return [
        *(Decision(kind_of_move(*move[:2]), _describe_move(move), at_ms) for move in moves),
        *(Decision("skip", reason, at_ms) for reason in skips),
        *(Decision("plan", each, at_ms) for each in told),
    ]


def _kept_out(moves: Iterable[Move], run: CurrentRun) -> dict[str, dict[str, str]]:
    """By the options that were wanted, the limits that kept them out, and who set each."""
    refused = [(move.wanted.name, move.refusal) for move in moves]
    short = {name: error.missing for name, error in refused if isinstance(error, BudgetExceeded)}
    return run.who_limits(short)


def _describe_move(move: Move) -> str:
    return f"{move.wanted.step} moved to {move.option.name!r}: {move.refusal}"

"""Does one step with code: the built-in templates, or an executor that the user registered."""

from dataclasses import replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp, GraphInterrupt, ParentCommand
from langgraph.runtime import Runtime

from thrifty.budget import InvalidInput, Outcome, Spend, ThriftyError
from thrifty.budget.clock import elapsed_ms, now_ns
from thrifty.budget.decision import Decision, DecisionKind
from thrifty.budget.plain_text import trim_text
from thrifty.executors.adapt import RegisteredExecutor
from thrifty.executors.agent_place import AgentPlace
from thrifty.executors.model_access import lost_model
from thrifty.executors.protocol import Result, Work
from thrifty.executors.registry import AGENT
from thrifty.ledger.idempotent_calls import fingerprint, release_call, settle_call
from thrifty.ledger.latest_call import LatestCall, note_stop
from thrifty.ledger.notes import Notes
from thrifty.models.calls.current_account import enclosing_account
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.guard.ask_person import without_old_answers
from thrifty.models.guard.call_question import DONE
from thrifty.models.guard.callback_guard import guard_calls
from thrifty.models.guard.can_interrupt import NOBODY, can_interrupt
from thrifty.models.guard.tool_call_place import StepTools
from thrifty.nodes.context import Context
from thrifty.nodes.state import additions
from thrifty.run.assignment import (
    NOT_RESERVED,
    ExecutorInput,
    effect_key,
    is_declared,
    read_assignment,
    remaining_ms_for,
    step_key,
)
from thrifty.run.check_attempt import check_attempt
from thrifty.run.events import event_base
from thrifty.run.local_step import LocalStep
from thrifty.run.run_so_far import RunSoFar
from thrifty.run.sent_state import facts_of
from thrifty.run.services import Services
from thrifty.run.stream_progress import ProgressHandler, about_messages

ASKS = f"it asks a person, {NOBODY}"


def run_local(
    state: ExecutorInput,
    runtime: Runtime[Context],
    config: RunnableConfig,
    *,
    run_id: str,
    services: Services,
) -> dict[str, Any]:
    """Runs the executor and settles what it used. A failure is an outcome, not an exception.

    Work that was done before, in a run that is resumed or forked, is not done again.

    Raises:
        GraphBubbleUp: the executor asks a person, a person has to be asked about its call, or it
            has another signal for LangGraph.
    """
    known_ms, cache = state["spend"]["latency_ms"], services.cache(run_id)
    started_ms = services.runs.active_ms(run_id, known_ms)
    context = Context.of(runtime.context)
    run = RunSoFar(facts_of(state, config), context, services, run_id)
    work, reserved, _ = read_assignment(state, run_id, run.results(), run.draft(), services)
    can_ask, decided = can_interrupt(config), list[tuple[DecisionKind, str]]()
    progress = ProgressHandler(
        runtime.stream_writer, work.option, lambda: event_base(run_id, known_ms, services)
    )
    place = _agent_place(state, work, config, progress, run_id, services)
    executor = services.executors.in_place(work.option.executor, place)
    if reserved is None:
        outcome = Outcome(work.option, "failed", reason=NOT_RESERVED)
    else:
        outcome = LocalStep(
            work=work,
            reserved=reserved,
            executor=executor,
            tools=place.tools,
            can_ask=can_ask,
            asks_on_failure=context.on_drift == "ask",
            decide=lambda *decision: decided.append(decision),
            **_bound_to(state, work, executor, can_ask, run_id, services),
        ).do()
    if progress.message_id:
        cache.message_ids[work.option.name] = progress.message_id
    ended_ms = services.runs.active_ms(run_id, known_ms)
    outcome = replace(check_attempt(outcome, work, run), started_ms=started_ms, ended_ms=ended_ms)
    decisions = [Decision(*decision, ended_ms) for decision in decided]
    return {
        "outcomes": [cache.write(outcome)],
        **additions(decisions=cache.write_all(decisions)),
    }


def _agent_place(
    state: ExecutorInput,
    work: Work,
    config: RunnableConfig,
    progress: ProgressHandler,
    run_id: str,
    services: Services,
) -> AgentPlace:
    """What an agent with tools is lent: where its tools' effects are noted, and how it streams."""
    option = work.option
    notes = Notes(services.ledger, services.account(run_id), option.name)
    about = about_messages(option, state["assignment"]["answers"])
    return AgentPlace(
        StepTools(notes, effect_key(option), option.step, work.task),
        (progress,),
        {**config.get("metadata", {}), **about},
    )


def _bound_to(
    state: ExecutorInput,
    work: Work,
    executor: RegisteredExecutor,
    can_ask: bool,
    run_id: str,
    services: Services,
) -> dict[str, Any]:
    """What ties a step to its run: its place in the ledger, and how it is called and read there."""
    reads = {name: (result.text, result.data) for name, result in work.results.items()}
    return {
        "key": step_key(work.option, services),
        "request": fingerprint(work.task, work.option.to_state(), work.draft, reads),
        "is_declared": is_declared(work.option, state["run"], services),
        "notes": Notes(services.ledger, services.account(run_id), work.option.name),
        "call": lambda work, call: _run_reserved(
            state, work, executor, call, can_ask, run_id, services
        ),
        "replay": lambda answer, charged: _replay(work, answer, charged),
    }


def _replay(work: Work, answer: str, charged: Spend) -> Outcome:
    """What was kept of a call that is done."""
    result = Result.from_answer(answer, charged)
    return Outcome(work.option, "done", result.text, charged, data=result.data)


def _run_reserved(
    state: ExecutorInput,
    work: Work,
    executor: RegisteredExecutor,
    call: LatestCall,
    can_ask: bool,
    run_id: str,
    services: Services,
) -> Outcome:
    """Runs it within its reservation, which also the step has to hold that this run is part of."""
    account, ledger, entry = services.account(run_id), services.ledger, call.entry
    outer = enclosing_account(ledger, account)
    try:
        outer_key = outer.reserve(entry.label, entry.reserved) if outer else ""
    except ThriftyError as error:
        release_call(ledger, account, entry)
        return Outcome(work.option, "failed", reason=str(error))
    # More may be reserved than is declared, where bills came to more. It is no bill itself. Of an
    # agent with tools each call is seen, so where none was, there is nothing to pay.
    declared = Spend(*map(min, entry.reserved.amounts, work.option.estimate.amounts))
    declared = Spend() if work.option.executor == AGENT else declared
    # What the executor's own calls may use: the reservation, of all that the run limits.
    calls = StepAccount(
        services.limits_in_force(run_id).limited_to(entry.reserved),
        lambda: remaining_ms_for(state, run_id, services.limits(run_id), services),
    )
    calls.replay(call.paid)
    try:
        outcome = _call_executor(work, executor, declared, calls, can_ask, services)
    except GraphBubbleUp as signal:
        used = calls.bill(Spend())
        if isinstance(signal, ParentCommand):  # it has ended, and says where a graph goes on
            settle_call(ledger, account, entry, used, Result(DONE).to_answer())
        else:  # it runs again from its start, and finds what it has paid for
            note_stop(entry, used, calls.paid_calls(), Notes(ledger, account, entry.label))
        _settle_outer(outer, outer_key, used)
        raise
    answer = Result(outcome.text, outcome.data).to_answer() if outcome.has_text else ""
    settle_call(ledger, account, entry, outcome.actual, answer)
    _settle_outer(outer, outer_key, outcome.actual)
    return replace(outcome, actual=call.charged_before + outcome.actual)


def _settle_outer(outer: StepAccount | None, key: str, used: Spend) -> None:
    if outer:
        outer.note_metered()
        outer.settle(key, used)


def _call_executor(
    work: Work,
    executor: RegisteredExecutor,
    declared: Spend,
    calls: StepAccount,
    can_ask: bool,
    services: Services,
) -> Outcome:
    started_ns = now_ns()
    try:
        with guard_calls(calls, services.models.prices.pin()), without_old_answers():
            result = executor(work)
        outcome = _read_result(work, result, calls, declared, executor.declared.effects)
    except GraphBubbleUp as signal:
        if can_ask or not isinstance(signal, GraphInterrupt):
            raise
        # LangGraph would end the whole run here, without a word.
        outcome = Outcome(work.option, "failed", actual=calls.bill(Spend()), reason=ASKS)
    except Exception as error:  # noqa: BLE001 - it is somebody else's code
        failed = Outcome(work.option, "failed", actual=calls.bill(declared), reason=_reason(error))
        outcome = replace(failed, **lost_model(work.option, error))
    # Time is measured here, whatever the executor says of it.
    latency_ms = elapsed_ms(started_ns)
    return replace(outcome, actual=replace(outcome.actual, latency_ms=latency_ms))


def _read_result(
    work: Work, given: Result | str, calls: StepAccount, declared: Spend, has_effects: bool
) -> Outcome:
    """What does not say what it used is charged what its calls came to, or what was declared."""
    result = Result(given) if isinstance(given, str) else given
    spend = calls.bill(declared) if result.spend is None else calls.at_least(result.spend)
    text, data = trim_text(result.text), result.data
    if has_effects and not text:  # who sends a mail need not write anything
        text = DONE
    if not text and data is None:
        return Outcome(work.option, "failed", "", spend, "it wrote nothing")
    if work.shape is not None:
        try:
            data = work.shape.read(text if data is None else data)
        except InvalidInput as error:
            return Outcome(work.option, "failed", "", spend, str(error))
    if refusal := calls.refusal or calls.declined:
        reason = f"its calls were stopped: {refusal}"
        return Outcome(work.option, "cut", text, spend, reason, data=data)
    return Outcome(work.option, "done", text, spend, data=data)


def _reason(error: Exception) -> str:
    """Only the kind of a foreign error, as its message may hold what nobody should read."""
    return str(error) if isinstance(error, ThriftyError) else f"it raised {type(error).__name__}"

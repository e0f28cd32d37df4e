"""A step that `route` sends to an executor, with what was reserved for it.

A client of a server can write an assignment too. So what it costs and what an executor is handed
are read from the recipe and the ledger, and from an assignment only what the run is to do.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from langchain_core.messages import AnyMessage
from typing_extensions import TypedDict

from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.budget.states import OptionState, SpendState
from thrifty.executors.draft import Draft, split_draft
from thrifty.executors.protocol import Work
from thrifty.executors.registry import MODEL_EXECUTORS
from thrifty.executors.results import Results
from thrifty.ledger.idempotent_calls import call_key
from thrifty.options.proposals import hold_to_scale
from thrifty.run.facts import Run
from thrifty.run.services import Services

STEP_KEYS = "steps"
"""What the keys of steps begin with. They are keys of a run's own account."""
EFFECT_KEYS = "effects"
"""The same, of steps that an executor with effects outside does."""
NOT_RESERVED = "nothing was reserved for it"


class AssignmentState(TypedDict):
    """An assignment as plain data."""

    option: OptionState
    reserved: SpendState
    """For people to read: the reservation itself is in the ledger."""
    reads: list[str]
    """The names of the results that it reads."""
    absent: list[str]
    """The names of what it would read as well and is not there."""
    answers: bool
    """Whether it answers the task."""
    revises: bool
    revised_parts: int
    """How many parts of the draft it revises, from the beginning."""
    kept_ms: int
    """Of the latency that is left, what is kept for local steps that come later."""
    charged_before: SpendState
    """What earlier attempts were charged that were stopped. Their outcomes say so already."""


class ExecutorInput(TypedDict):
    """What `route` sends to `run_llm` and `run_local`."""

    run: Run
    conversation: list[AnyMessage]
    """What it is to answer. Empty for any other step."""
    assignment: AssignmentState
    spend: SpendState
    """As of when the assignment was sent."""


def step_key(option: StepOption, services: Services) -> str:
    """The key of the work on an option. Calls for it are numbered.

    What has effects outside is done once for its step, whichever of its options does it.
    """
    if services.executors.has_effects(option.executor):
        return effect_key(option)
    return f"{STEP_KEYS}/{option.name}"


def effect_key(option: StepOption) -> str:
    """The key of what is done once for an option's step: a call of an executor, or of tools."""
    return f"{EFFECT_KEYS}/{option.step}"


class ReadAssignment(NamedTuple):
    """An assignment as its executor's node works with it."""

    work: Work
    """As the recipe holds it."""
    reserved: Spend | None
    """What the ledger has reserved for it. None where nothing ever was: then it is no assignment
    of `route`'s."""
    untouched: str
    """What follows in the draft and is too long to be revised as well."""


def read_assignment(
    state: ExecutorInput, run_id: str, results: Results, draft: Draft, services: Services
) -> ReadAssignment:
    """Reads what an executor's node was given. It names what is read, and holds no copy.

    Args:
        state: what the node was given.
        run_id: the run's account.
        results: of the run.
        draft: what was written so far.
        services: with the recipe and the ledger.
    """
    assignment, revised, untouched = state["assignment"], "", ""
    if assignment["revises"]:
        revised, untouched = split_draft(str(draft), assignment["revised_parts"])
    work = Work(
        task=state["run"]["task"],
        option=assigned_option(state, run_id, services),
        results=results.select(assignment["reads"]),
        absent=tuple(assignment["absent"]),
        draft=revised,
        revises=assignment["revises"],
        conversation=tuple(state["conversation"]),
        shape=services.shape if assignment["answers"] else None,
    )
    return ReadAssignment(work, reserved_for(work.option, run_id, services), untouched)


def assigned_option(state: ExecutorInput, run_id: str, services: Services) -> StepOption:
    """The option that an assignment is to carry out, as the recipe holds it."""
    cache = services.cache(run_id)
    steps = services.steps(state["run"], run_id)
    said = state["run"]["recipe"], state["run"]["decomposition"]
    catalog = cache.compute_once("scale", said, lambda: _options_by_name(steps))
    return _as_declared(cache.read(StepOption, state["assignment"]["option"]), catalog)


def reserved_for(option: StepOption, run_id: str, services: Services) -> Spend | None:
    """What the ledger has reserved for the work on an option. None where nothing ever was."""
    entry = services.ledger.entry(run_id, call_key(step_key(option, services), 1))
    return None if entry is None else entry.reserved


def is_declared(option: StepOption, run: Run, services: Services) -> bool:
    """Whether the deployment has an option, and no model or client has made it up."""
    own = (each for step in services.own_steps(run) for each in step.options)
    return any(option.name == each.name for each in own)


def remaining_ms_for(
    state: ExecutorInput, run_id: str, limits: Budget, services: Services
) -> int | None:
    """The time that is left for an assignment, under the run's limits. None without a limit."""
    remaining_ms = services.remaining_ms(run_id, state["spend"]["latency_ms"], limits)
    kept_ms = max(0, state["assignment"]["kept_ms"])
    return None if remaining_ms is None else max(0, remaining_ms - kept_ms)


def _options_by_name(steps: Iterable[Step]) -> dict[str, StepOption]:
    return {option.name: option for step in steps for option in step.options}


def _as_declared(option: StepOption, catalog: dict[str, StepOption]) -> StepOption:
    """An option as its recipe has it, or as a model may have proposed it."""
    declared = catalog.get(option.name)
    if declared is None:
        return hold_to_scale(option, tuple(catalog.values()))
    if declared.executor not in MODEL_EXECUTORS:
        return replace(declared, value=option.value)
    # What a model call uses is no more than an estimate, which `route` has made for what is sent.
    estimate = Spend(*map(max, declared.estimate.amounts, option.estimate.amounts))
    return replace(
        declared,
        estimate=estimate,
        value=option.value,
        spread=min(declared.spread, option.spread),
        output_tokens=declared.expected_output_tokens,
    )

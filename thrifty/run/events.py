"""What a run reports while it runs, as typed events on the stream mode `custom`.

Read them with `agent.stream(…, stream_mode="custom")`. Inside a parent's graph, add
`subgraphs=True`.

| event | when | beside `run_id` and `at_ms` |
|---|---|---|
| `spend_changed` | a call was reserved or settled | `spent`, `reserved`, `left` |
| `decided` | the run made a choice by itself | `kind`, `reason` |
| `plan_made`, `replanned` | the first plan was made; a new one was | `plan`, `revision`, `reason` |
| `step_started` | an executor begins | `step`, `option`, `executor`, `reserved` |
| `step_progress` | a model writes | `step`, `option`, `characters` |
| `step_finished` | it is back | as `step_started`, with `status`, `reason`, `actual`, `checks` |
| `retracted` | a step is tried once more | `step`, `option`: of the text that failed a check |
| `waiting` | a person is asked | `question` |
| `halted`, `done` | the run has ended | `reason`, `spent` |
"""

from typing import Any, Literal

from typing_extensions import TypedDict

from thrifty.budget.states import BudgetState, CheckResultState, PlanState, SpendState
from thrifty.run.services import Services


class EventBase(TypedDict):
    """Which run, and when."""

    run_id: str
    at_ms: int
    """Of the run's active time."""


def event_base(run_id: str, known_ms: int, services: Services) -> EventBase:
    """What every event of a run says now."""
    return {"run_id": run_id, "at_ms": services.runs.active_ms(run_id, known_ms)}


class SpendChanged(EventBase):
    """The bill has grown, or something was reserved. Latency is the run's active time."""

    event: Literal["spend_changed"]
    spent: SpendState
    reserved: SpendState
    left: BudgetState


class Decided(EventBase):
    """A choice, with its reason: extra steps, a downgrade, a skip, a new plan."""

    event: Literal["decided"]
    kind: str
    reason: str


class PlanMade(EventBase):
    """A plan is in force: the first one, or one that replaces another."""

    event: Literal["plan_made", "replanned"]
    plan: PlanState
    revision: int
    reason: str
    """The plan in a sentence."""


class StepNames(TypedDict):
    """Which step it is, and who does it in which way."""

    step: str
    option: str
    executor: str


class StepStarted(EventBase, StepNames):
    """An executor begins."""

    event: Literal["step_started"]
    reserved: SpendState
    """The most that it can use."""


class StepProgress(EventBase):
    """A model writes."""

    event: Literal["step_progress"]
    step: str
    option: str
    characters: int
    """Of its answer, so far."""


class StepFinished(EventBase, StepNames):
    """An executor is back, or a step was skipped."""

    event: Literal["step_finished"]
    status: str
    """As of an `Outcome`, such as `done` or `failed`."""
    reason: str
    actual: SpendState
    checks: list[CheckResultState]
    """What the checks said of its text."""


class Retracted(EventBase):
    """A step is tried once more whose text failed a check: what was streamed of it may go."""

    event: Literal["retracted"]
    step: str
    option: str
    """Which has left the text."""


class Waiting(EventBase):
    """A person is asked."""

    event: Literal["waiting"]
    question: Any
    """What is handed to `interrupt`: see `thrifty.run.question`, and for a call
    `thrifty.models.guard.call_question`. An executor may ask what it likes."""


class Ended(EventBase):
    """The run has ended."""

    event: Literal["done", "halted"]
    reason: str
    spent: SpendState


Event = (
    SpendChanged
    | Decided
    | PlanMade
    | StepStarted
    | StepProgress
    | StepFinished
    | Retracted
    | Waiting
    | Ended
)

"""A step that `route` sends to an executor, with what was reserved for it."""

from typing_extensions import TypedDict

from thrifty.budget import Budget, Spend, StepOption
from thrifty.budget.states import OptionState, SpendState
from thrifty.executors.protocol import Work
from thrifty.run.facts import Run
from thrifty.run.run_cache import RunCache
from thrifty.run.services import Services


class AssignmentState(TypedDict):
    """An assignment as plain data."""

    option: OptionState
    key: str
    reserved: SpendState
    draft: str
    """What the executor may read of the draft, or is to revise of it."""
    untouched: str
    """What follows in the draft and is too long to be revised as well."""
    revises: bool
    kept_ms: int
    """Of the latency that is left, what is kept for local steps that come later."""
    charged_before: SpendState
    """What earlier attempts were charged that were stopped. Their outcomes say so already."""


class ExecutorInput(TypedDict):
    """What `route` sends to `run_llm` and `run_local`."""

    run: Run
    assignment: AssignmentState
    spend: SpendState
    """As of when the assignment was sent."""


def read_assignment(state: ExecutorInput, cache: RunCache) -> tuple[Work, Spend]:
    """The piece of work that an assignment is, and the most that it may use."""
    assignment = state["assignment"]
    work = Work(
        task=state["run"]["task"],
        option=cache.read(StepOption, assignment["option"]),
        draft=assignment["draft"],
        revises=assignment["revises"],
    )
    return work, cache.read(Spend, assignment["reserved"])


def remaining_ms_for(state: ExecutorInput, limits: Budget, services: Services) -> int | None:
    """The time that is left for an assignment, under the run's limits. None without a limit."""
    remaining_ms = services.remaining_ms(state["run"]["id"], state["spend"]["latency_ms"], limits)
    return None if remaining_ms is None else max(0, remaining_ms - state["assignment"]["kept_ms"])

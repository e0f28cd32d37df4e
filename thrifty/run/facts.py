"""The parts of a run's state that several nodes read, as plain data."""

from operator import add
from typing import Annotated, Any

from langgraph.managed import RemainingSteps
from typing_extensions import TypedDict

from thrifty.budget import Budget
from thrifty.budget.states import (
    BudgetState,
    DecisionState,
    OutcomeState,
    PlanState,
    SpendState,
    StepState,
)
from thrifty.executors.results import ResultState
from thrifty.models.roles.asked import AskedState
from thrifty.options.decomposition import DecompositionState


class Run(TypedDict):
    """A run as it was accepted. A client can write all of it, so it names no account."""

    name: str
    """What its caller calls it, within its thread. Empty where it has its number alone."""
    number: int
    """Which run of its thread it is, from 1."""
    task: str
    recipe: str
    """Which recipe it follows: one that the deployment knows, or it is refused."""
    conversation: list[str]
    """The ids of the messages that it is asked by. Empty where the task alone is."""
    words: int
    """About how long the answer is to be, as it was said. Nought where nobody did."""
    decomposition: DecompositionState | None
    """The steps that a model took the task apart into. None where it answers directly, or follows
    a recipe."""
    uncounted: list[str]
    """The executors that only steps can use, where nobody was asked for steps: the value of a
    direct answer does not count what they would bring. For people to read."""
    asked: AskedState
    """How long what it is asked is, with the documents, as it was measured when it began."""
    budget: BudgetState
    """The limits that it was given, for people to read. Those in force are in the ledger."""
    documents: list[str]
    """The names of the documents that it was handed. Their texts are among the results."""


class RunFacts(TypedDict):
    """What is done, and what could be done. Who writes a channel stands beside it."""

    run: Run
    """What was accepted, by `generate_options`; a raised budget, by `approve`."""
    proposed: list[StepState]
    """Steps that a model proposed, by `generate_options`."""
    learned: dict[str, Any]
    """What earlier bills say of the catalog, by `generate_options`: a `LearnedEstimates`."""
    plan: PlanState
    """The plan in force, by `plan`. It is missing before the first one is made."""
    revision: int
    """How many plans there were, by `plan`."""
    results: dict[str, ResultState]
    """The documents by name, by `generate_options`; what each step made beside them, by `finish`.
    Until then that is in the outcomes."""
    outcomes: Annotated[list[OutcomeState], add]
    """What became of each attempt, by `route` (skipped), `run_llm` and `run_local`."""
    decisions: Annotated[list[DecisionState], add]
    """Every choice and its reason, by all."""
    spend: SpendState
    """What was spent when the ledger was last read, by all."""
    left_out: list[str]
    """Steps and options that a person does not want done, by `approve`."""
    remaining_steps: RemainingSteps
    """Nodes that LangGraph's recursion limit still lets follow each other, by LangGraph."""


def fee_limits(run: Run) -> Budget | None:
    """The limits by which the fees of a run are counted: its own, where a model took its task
    apart. None for any other run, whose options are worth what they declare."""
    # Those that it was given, so that a fee stays what it is while they are used up.
    return None if run["decomposition"] is None else Budget.from_state(run["budget"])

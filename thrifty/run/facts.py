"""The parts of a run's state that several nodes read, as plain data."""

from langgraph.managed import RemainingSteps
from typing_extensions import TypedDict

from thrifty.budget.states import BudgetState, OutcomeState, PlanState, SpendState, StepState
from thrifty.estimates.learned import LearnedEstimatesState


class Run(TypedDict):
    """A run as it was accepted."""

    id: str
    """The name of its account in the ledger."""
    number: int
    """Which run of its thread it is, from 1."""
    task: str
    budget: BudgetState
    common: str
    """The account that its own is a share of; empty when it is not."""


class RunFacts(TypedDict):
    """What is done, and what could be done."""

    run: Run
    proposed: list[StepState]
    outcomes: list[OutcomeState]
    spend: SpendState
    revision: int
    left_out: list[str]
    learned: LearnedEstimatesState
    remaining_steps: RemainingSteps


class PlannedFacts(RunFacts):
    """The same of a run that has a plan."""

    plan: PlanState

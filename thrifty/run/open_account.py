"""Opens the account of a run: its own, or its share of one that several runs use."""

from langchain_core.runnables import RunnableConfig

from thrifty.budget import Budget, LeaseLost
from thrifty.ledger.share import open_share
from thrifty.models.guard.step_account import current_account
from thrifty.run.facts import Run
from thrifty.run.run_input import RunInput
from thrifty.run.services import Services


def open_account(given: RunInput, number: int, config: RunnableConfig, services: Services) -> Run:
    """Opens the account. A run inside a step of another gets at most what that step has left.

    Raises:
        LeaseLost: another invocation is doing this very run.
    """
    budget = given.budget
    if outer := current_account():
        budget = budget.tightest_with(outer.left)
    run = Run(name=given.name, number=number, task=given.task, budget=budget.to_state())
    run_id, common = services.run_id(run, config), services.common(config)
    if common:
        budget = open_share(services.ledger, common, run_id, budget).budget
    else:
        _open(run_id, budget, services)
    return Run(name=given.name, number=number, task=given.task, budget=budget.to_state())


def _open(run_id: str, budget: Budget, services: Services) -> None:
    """Opens an account or, where a run that was killed is asked for again, finds it."""
    try:
        services.ledger.open(run_id, budget)
    except LeaseLost:  # its limits change, which only who has taken it over may do
        with services.runs.track_node(run_id, lambda: 0):
            services.ledger.open(services.account(run_id), budget)

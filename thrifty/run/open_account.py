"""Opens the account of a run: by itself, or below one that several runs share."""

from langchain_core.runnables import RunnableConfig

from thrifty.budget import Budget, LeaseLost
from thrifty.ledger.authority import unknown_account
from thrifty.models.guard.step_account import current_account
from thrifty.run.facts import Run
from thrifty.run.identity import run_account
from thrifty.run.run_input import RunInput
from thrifty.run.services import Services


def open_account(
    given: RunInput, number: int, config: RunnableConfig, services: Services
) -> tuple[Run, str]:
    """Opens the account. A run inside a step of another gets at most what that step has left.

    Returns:
        The run, and the name of its account.

    Raises:
        InvalidInput: nobody has opened the account that is to pay for the run.
        LeaseLost: another invocation is doing this very run.
    """
    budget = given.budget
    if outer := current_account():
        budget = budget.tightest_with(outer.left)
    run = Run(name=given.name, number=number, task=given.task, budget=budget.to_state())
    payer = services.common(config)  # asked once: who pays is in the account's name, too
    run_id = run_account(run, config, payer)
    try:
        _open(run_id, budget, payer or None, services)
    except KeyError:
        raise unknown_account(payer) from None
    if budget.tightest_with(services.ledger.balance(run_id).left) != budget:
        # The plan counts on what is left: what dead processes hold must not make it a poor one.
        services.ledger.sweep(payer or run_id)
    return run, run_id


def _open(run_id: str, budget: Budget, parent: str | None, services: Services) -> None:
    """Opens an account or, where a run that was killed is asked for again, finds it."""
    try:
        services.ledger.open(run_id, budget, parent=parent)
    except LeaseLost:  # its limits change, which only who has taken it over may do
        with services.runs.track_node(run_id, lambda: 0):
            services.ledger.open(services.account(run_id), budget, parent=parent)

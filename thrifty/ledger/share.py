"""A run's own account, or its share of one that it has in common with other runs.

A share is taken out of the common account when the run starts, and what is unused goes back
when it ends, so that runs side by side cannot promise themselves the same money. What a killed
run still holds is given back by the next that finds the account short.
"""

from thrifty.budget import Budget, BudgetExceeded, InvalidInput, ReservationClosed
from thrifty.budget.resources import format_amounts
from thrifty.ledger.authority import unknown_account
from thrifty.ledger.owner import is_owner_gone
from thrifty.ledger.protocol import Balance, Ledger


def open_share(ledger: Ledger, common: str, run_id: str, budget: Budget) -> Balance:
    """Opens a run's account with as much of its budget as the common account has left.

    Raises:
        InvalidInput: nobody has opened the common account.
    """
    try:
        if not _holds(ledger, common, budget):
            reclaim_from_the_gone(ledger, common)
        while True:
            share = budget.tightest_with(ledger.balance(common).left)
            try:
                return ledger.grant(common, run_id, share, f"run {run_id}")
            except BudgetExceeded:
                continue  # another run took it in between; there is less left each time
    except KeyError:
        raise unknown_account(common) from None


def reclaim_from_the_gone(ledger: Ledger, common: str) -> None:
    """Gives back what runs hold whose processes are certainly gone.

    What they have spent stays spent. A run that waits for a person is held by nobody, and kept.
    """
    for entry in ledger.entries(common):
        if entry.status == "granted" and is_owner_gone(ledger.owner_of(entry.key)):
            ledger.reclaim(common, entry.key)


def extend_share(ledger: Ledger, run_id: str, budget: Budget) -> None:
    """Raises the limits of a run; not of one that has ended and gave its share back.

    Raises:
        InvalidInput: more than that is spent already, or its share has been given back.
        BudgetExceeded: that account has not got so much.
    """
    if excess := budget.exceeded_by(ledger.balance(run_id).spent):
        remedy = f"allow what is spent already: this is {format_amounts(excess)} short of it"
        raise InvalidInput("budget", budget.to_state(), remedy)
    try:
        ledger.extend(run_id, budget)
    except ReservationClosed:
        remedy = "the run has ended before and gave back its share; finish it, and start another"
        raise InvalidInput("budget", budget.to_state(), remedy) from None


def _holds(ledger: Ledger, common: str, budget: Budget) -> bool:
    return budget.tightest_with(ledger.balance(common).left) == budget

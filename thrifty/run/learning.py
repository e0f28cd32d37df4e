"""What a run takes along from earlier bills, and what it leaves behind for later ones."""

from collections.abc import Sequence

from langgraph.store.base import BaseStore

from thrifty.budget import Outcome, Step
from thrifty.estimates.history import keep, read_history
from thrifty.estimates.learned import NOTHING, Learned, learn
from thrifty.executors.offer import Terms
from thrifty.run.step_bills import bills_of


def recall(store: BaseStore | None, steps: Sequence[Step], terms: Terms) -> tuple[Learned, str]:
    """What earlier bills say of the catalog, and a sentence on it; both empty without a store.

    It is read once, so that a run plans by the same bills from its beginning to its end.
    """
    if store is None:
        return NOTHING, ""
    history = read_history(store)
    options = (terms.priced(option) for step in steps for option in step.options)
    learned = learn(history, options, terms.doer)
    remark = f"estimates are drawn from {learned.bills} bills of earlier runs"
    return learned, history.remark or (remark if learned.bills else "")


def remember(
    store: BaseStore | None,
    run_id: str,
    outcomes: Sequence[Outcome],
    steps: Sequence[Step],
    terms: Terms,
) -> str:
    """Keeps the bills of the catalog's options; returns why that failed, or nothing.

    What a model proposed is left out: its name and its claims come back in no other run.

    Args:
        store: where bills are kept; None keeps nothing.
        run_id: whose bills they are.
        outcomes: what the run has tried.
        steps: the catalog's.
        terms: who did an option.
    """
    if store is None:
        return ""
    known = {option.name for step in steps for option in step.options}
    ours = [outcome for outcome in outcomes if outcome.option.name in known]
    return keep(store, run_id, bills_of(ours, terms))

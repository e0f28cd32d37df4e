"""What a run takes along from earlier bills, and what it leaves behind for later ones."""

from collections.abc import Sequence

from langgraph.runtime import Runtime

from thrifty.budget import Outcome
from thrifty.estimates.history import keep, read_history
from thrifty.estimates.learned import NOTHING, Learned, learn
from thrifty.executors.offer import Terms
from thrifty.nodes.context import Context
from thrifty.nodes.outlook import bills_of
from thrifty.nodes.services import Services


def recall(
    runtime: Runtime[Context], context: Context, terms: Terms, services: Services
) -> tuple[Learned, str]:
    """What earlier bills say of the catalog, and a sentence on it; both empty without a store.

    It is read once, so that a run plans by the same bills from its beginning to its end.
    """
    if runtime.store is None or not context.learn:
        return NOTHING, ""
    history = read_history(runtime.store)
    options = (terms.priced(option) for step in services.steps for option in step.options)
    learned = learn(history, options, terms.doer)
    told = f"estimates are drawn from {learned.bills} bills of earlier runs"
    return learned, history.remark or (told if learned.bills else "")


def remember(
    runtime: Runtime[Context],
    context: Context,
    terms: Terms,
    run_id: str,
    outcomes: Sequence[Outcome],
    services: Services,
) -> str:
    """Keeps the bills of the catalog's options; returns why that failed, or nothing.

    What a model proposed is left out: its name and its claims come back in no other run.
    """
    if runtime.store is None or not context.learn:
        return ""
    known = {option.name for step in services.steps for option in step.options}
    ours = [outcome for outcome in outcomes if outcome.option.name in known]
    return keep(runtime.store, run_id, bills_of(ours, terms))

"""What a run takes along from earlier bills, and what it leaves behind for later ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from langgraph.store.base import BaseStore

from thrifty.budget import Outcome, Spend, Step
from thrifty.estimates.history import Attempt, BillHistory, save_bills
from thrifty.estimates.learned import LearnedEstimates, learn_from_history
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.step_estimate import StepEstimator
from thrifty.steering.forecast import Bill


def bills_of(outcomes: Iterable[Outcome], model_access: ModelAccess) -> tuple[Bill, ...]:
    """What the work that was done came to. Work that failed says nothing of what work costs."""
    return tuple(
        Bill(outcome.option, model_access.executor_model(outcome.option), outcome.actual)
        for outcome in outcomes
        if outcome.has_text
    )


def recall(
    history: BillHistory, steps: Sequence[Step], model_access: ModelAccess
) -> tuple[LearnedEstimates, str]:
    """What earlier bills say of a run's steps, and a sentence on it, empty where there are none."""
    options = (option for step in steps for option in step.options)
    learned = learn_from_history(history, options, model_access.executor_model)
    count = learned.bill_count
    bills = "1 bill of an earlier run" if count == 1 else f"{count} bills of earlier runs"
    remark = f"estimates are drawn from {bills}"
    return learned, history.remark or (remark if count else "")


def remember(
    store: BaseStore | None,
    run_id: str,
    outcomes: Sequence[Outcome],
    charged: Mapping[str, Spend],
    steps: Sequence[Step],
    estimator: StepEstimator,
) -> str:
    """Keeps the bills of the recipe's options. Returns why that failed, or nothing.

    What a model proposed is left out: its name and its claims come back in no other run. A client
    of a server can write outcomes. Other runs learn from these bills, so the amounts are the
    ledger's and the estimates are the recipe's.

    Args:
        store: where bills are kept. None keeps nothing.
        run_id: whose bills they are.
        outcomes: what the run has tried.
        charged: by the name of an option, what the ledger says that it came to.
        steps: the recipe's.
        estimator: who did an option, and what was expected of it for the run's task.
    """
    if store is None:
        return ""
    known = {option.name: option for step in steps for option in step.options}
    billed = [
        replace(outcome, option=estimator.estimate_option(known[name]), actual=charged[name])
        for outcome in outcomes
        if (name := outcome.option.name) in known and name in charged and outcome.has_text
    ]
    kinds = {step.name: step.kind for step in steps}
    return save_bills(store, run_id, _attempts(billed, kinds, estimator.model_access), known)


def _attempts(
    billed: Iterable[Outcome], kinds: Mapping[str, str], access: ModelAccess
) -> Iterator[Attempt]:
    """The attempts of a run, in their order, with what checks said of them."""
    before: dict[str, str] = {}
    for outcome in billed:
        (bill,) = bills_of([outcome], access)
        step = outcome.step
        judged = next(iter((*outcome.failed_checks, *outcome.checks)), None)
        said = (judged.check, judged.passed) if judged else ("", None)
        yield Attempt(bill, step, kinds[step], *said, before.get(step, ""))
        before[step] = outcome.option.name

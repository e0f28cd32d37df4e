"""The bills of past runs in LangGraph's `BaseStore`: an item for each option and who did it.

A store is somebody else's: it may fail, be empty, or hold what somebody wrote there by hand.
What cannot be read is left out, and a store that fails is a remark, not an end: estimates steer
a run, and no limit rests on them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from thrifty.budget import InvalidInput, StepOption, validate
from thrifty.budget.option import NAME_MAX
from thrifty.estimates.bill_record import BillRecord
from thrifty.steering.forecast import Bill, ExecutorModel

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore

NAMESPACE = ("thrifty", "estimates")
RECORDS_PER_OPTION_MAX = 40
"""Of an option: the newest say most of how it is now."""
ITEMS_MAX = 2_000
"""How many options are read; recipes that are larger learn from the newest."""


class BilledOption(NamedTuple):
    """What a bill is for: an option, and who performed it."""

    option: str
    executor_model: ExecutorModel


@dataclass(frozen=True, slots=True)
class BillHistory:
    """Every bill that is known, the oldest first, by what was billed."""

    records: Mapping[BilledOption, tuple[BillRecord, ...]]
    remark: str = ""
    """Why it could not be read; empty when it could."""


NO_HISTORY = BillHistory({})
"""Of who has no store, or wants nothing learned."""


def read_history(store: BaseStore) -> BillHistory:
    """All that a store holds, in an order that does not depend on the store."""
    try:
        items = store.search(NAMESPACE, limit=ITEMS_MAX)  # without a limit, a store gives ten
    except Exception as error:  # noqa: BLE001 - it is somebody else's store
        return BillHistory({}, f"earlier bills could not be read ({type(error).__name__})")
    found = dict(filter(None, (_parse_item(item.value) for item in items)))
    return BillHistory({work: found[work] for work in sorted(found)})


class Attempt(NamedTuple):
    """An attempt at a step, with its bill."""

    bill: Bill
    """Against what was estimated for what was sent."""
    step: str
    kind: str
    """What kind of work the step is."""
    check: str = ""
    """The name of the check that has judged it. Empty where none has."""
    passed: bool | None = None
    """What that said. None: nobody knows."""
    after: str = ""
    """The option that was tried before it at the same step. Empty for the first."""


def save_bills(
    store: BaseStore, run_id: str, attempts: Iterable[Attempt], catalog: Mapping[str, StepOption]
) -> str:
    """Saves the bills of a run; those that are there already are replaced.

    Two runs that end at once may overwrite each other's bill: then one less is known.

    Args:
        store: where they are kept.
        run_id: whose bills they are.
        attempts: of the run.
        catalog: by name, the options as they are declared.

    Returns:
        Why nothing could be kept; empty when it could.
    """
    run = hash_name(run_id)
    try:
        for attempt in attempts:
            bill = attempt.bill
            declared, expected = catalog[bill.option.name], bill.option.estimate
            record = BillRecord(
                run,
                declared.estimate,
                declared.spread,
                expected,
                bill.actual,
                step=attempt.step,
                kind=attempt.kind,
                check=attempt.check,
                passed=attempt.passed,
                after=attempt.after,
            )
            work = BilledOption(bill.option.name, bill.executor_model)
            # A run that is resumed bills its steps again: the new bill takes the place of the old.
            before = _load_records(store, work)
            others = [kept for kept in before if kept.run != run]
            _store_records(store, work, [*others, _keep_rating(record, before)])
    except Exception as error:  # noqa: BLE001 - it is somebody else's store
        return f"this run's bills could not be kept ({type(error).__name__})"
    return ""


def _keep_rating(record: BillRecord, before: Iterable[BillRecord]) -> BillRecord:
    """A bill with the rating that it had. Another bill is of another text, which nobody rated."""
    rating = next(
        (r.rating for r in before if (r.run, r.actual) == (record.run, record.actual)), None
    )
    return record if rating is None else replace(record, rating=rating)


def rate(store: BaseStore, run_id: str, ratings: Mapping[str, float | bool]) -> int:
    """Keeps how good a person or a judge found the results of a run.

    Later runs learn from it how often who did the work is right at that kind of work, how good the
    check is that has judged it, and what a second attempt finds. No limit rests on it.

    Args:
        store: where the agent keeps its bills.
        run_id: as the receipt names it.
        ratings: from 0 for wrong to 1 for right, or whether it is right, by the name of the step
            for what it has in the end, or by that of an option for what that has left.

    Returns:
        How many results of that run were found and rated.

    Raises:
        InvalidInput: a rating is no number from 0 to 1.
    """
    given = {name: _read_rating(name, rating) for name, rating in ratings.items()}
    run, count = hash_name(run_id), 0
    found = {
        work: record
        for work, records in read_history(store).records.items()
        for record in records
        if record.run == run
    }
    first = {record.after for record in found.values()}
    for work, record in found.items():
        # The name of a step means the text that counts: the last one.
        by_step = None if work.option in first else given.get(record.step)
        rating = given.get(work.option, by_step)
        if rating is None:
            continue
        rated = replace(record, rating=rating)
        kept = [rated if r.run == run else r for r in _load_records(store, work)]
        _store_records(store, work, kept)
        count += 1
    return count


def _read_rating(name: str, rating: float | bool) -> float:
    given = float(rating) if isinstance(rating, bool) else rating
    return validate.number(f"ratings.{name}", given, maximum=1.0)


def hash_name(text: str) -> str:
    """A hash that stands for a name and reveals nothing of it."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]  # whatever it holds


def _item_key(work: BilledOption) -> str:
    return hash_name(json.dumps([work.option, *work.executor_model]))


def _load_records(store: BaseStore, work: BilledOption) -> tuple[BillRecord, ...]:
    item = store.get(NAMESPACE, _item_key(work))
    found = _parse_item(item.value) if item else None
    return found[1] if found and found[0] == work else ()


def _store_records(store: BaseStore, work: BilledOption, records: list[BillRecord]) -> None:
    value: dict[str, Any] = {
        "option": work.option,
        "executor": work.executor_model.executor,
        "model": work.executor_model.model,
        "records": [record.to_state() for record in records[-RECORDS_PER_OPTION_MAX:]],
    }
    # Nobody searches bills by meaning: an index would only cost embeddings.
    store.put(NAMESPACE, _item_key(work), value, index=False)


def _parse_item(value: object) -> tuple[BilledOption, tuple[BillRecord, ...]] | None:
    """Parses a store's item and drops records that are invalid; None when the item itself is."""
    if not isinstance(value, Mapping):
        return None
    try:
        option = validate.text("item.option", value.get("option"), maximum=NAME_MAX)
        executor = validate.text("item.executor", value.get("executor"), maximum=NAME_MAX)
    except InvalidInput:
        return None
    model, records = value.get("model"), value.get("records")
    if not isinstance(model, str) or not isinstance(records, list):
        return None
    return BilledOption(option, ExecutorModel(executor, model)), tuple(
        _parse_records(records[-RECORDS_PER_OPTION_MAX:])
    )


def _parse_records(records: Iterable[object]) -> Iterator[BillRecord]:
    for record in records:
        try:
            yield BillRecord.from_state(record)
        except InvalidInput:
            continue

"""Bills in a store: kept once a run, read whatever is there, rated, and in a file."""

import sqlite3
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.store.memory import InMemoryStore

from thrifty import InvalidInput, Spend, StepOption, rate
from thrifty.estimates.history import (
    NAMESPACE,
    RECORDS_PER_OPTION_MAX,
    Attempt,
    BilledOption,
    read_history,
    save_bills,
)
from thrifty.estimates.learned import NOTHING_LEARNED, learn_from_history
from thrifty.estimates.sqlite_store import open_store
from thrifty.steering.forecast import Bill, ExecutorModel

GPT, LOCAL = ExecutorModel("llm", "gpt-4.1"), ExecutorModel("local")
OPTION = StepOption("A (LLM)", "A", "llm", "does it", Spend(600, 60, 1_000, 1), 5.0)
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def bill(
    tokens: int = 900, option: StepOption = OPTION, executor_model: ExecutorModel = GPT
) -> Bill:
    return Bill(option, executor_model, Spend(tokens, 90, 1_500, 1))


def keep(store, run: str, bills: list[Bill]) -> str:
    """Keeps bills of options that were sent what their catalog had foreseen."""
    attempts = [Attempt(each, each.option.step, "writing") for each in bills]
    return save_bills(store, run, attempts, {each.option.name: each.option for each in bills})


def tokens_of(store, work=None) -> list[int]:
    records = read_history(store).records.get(work or BilledOption("A (LLM)", GPT), ())
    return [record.actual.tokens for record in records]


class Broken(InMemoryStore):
    """A store that is out of reach."""

    def batch(self, ops):
        raise ConnectionError("gone")


def test_what_was_kept_is_read_back():
    store = InMemoryStore()
    assert keep(store, "run 1", [bill(900)]) == keep(store, "run 2", [bill(700)]) == ""
    assert tokens_of(store) == [900, 700]


def test_a_bill_is_kept_with_what_was_declared_and_what_was_sent():
    store, sent = InMemoryStore(), OPTION.as_sent(Spend(6_000, 600, 1_000, 1))
    save_bills(store, "run 1", [Attempt(bill(5_900, sent), "A", "")], {OPTION.name: OPTION})
    (record,) = read_history(store).records[BilledOption("A (LLM)", GPT)]
    assert (record.estimate, record.spread) == (OPTION.estimate, OPTION.spread)
    assert (record.expected, record.actual.tokens) == (sent.estimate, 5_900)


def test_a_run_that_ends_twice_is_kept_once():
    store = InMemoryStore()
    for tokens in (900, 950):
        keep(store, "run 1", [bill(tokens)])
    assert tokens_of(store) == [950]


def test_options_executors_and_models_are_kept_apart():
    store = InMemoryStore()
    keep(
        store,
        "1",
        [
            bill(1),
            bill(2, executor_model=ExecutorModel("llm", "small")),
            bill(3, executor_model=ExecutorModel("mine")),
        ],
    )
    assert tokens_of(store) == [1]
    assert tokens_of(store, BilledOption("A (LLM)", ExecutorModel("mine"))) == [3]


def test_only_the_newest_are_kept():
    store = InMemoryStore()
    for number in range(RECORDS_PER_OPTION_MAX + 5):
        keep(store, str(number), [bill(number)])
    assert tokens_of(store) == list(range(5, RECORDS_PER_OPTION_MAX + 5))


def test_a_run_is_not_named_in_the_store():
    store = InMemoryStore()
    keep(store, "user-4711/1", [bill()])
    (item,) = store.search(NAMESPACE)
    assert "4711" not in str(item)


def test_a_store_that_fails_is_a_remark():
    assert keep(Broken(), "1", [bill()]) == "this run's bills could not be kept (ConnectionError)"
    history = read_history(Broken())
    assert history.remark == "earlier bills could not be read (ConnectionError)"
    assert learn_from_history(history, [OPTION], lambda option: GPT) == NOTHING_LEARNED


@given(json, st.lists(json, max_size=5))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_nonsense_in_a_store_is_left_out(value, records):
    store = InMemoryStore()
    keep(store, "1", [bill()])
    store.put(NAMESPACE, "x", {"anything": value})
    named = {"option": "A (LLM)", "executor": "llm", "model": "other", "records": records}
    store.put(NAMESPACE, "y", named)
    store.put(NAMESPACE, "z", {**named, "model": "gpt-5", "records": value})
    assert tokens_of(store) == [900]
    learn_from_history(read_history(store), [OPTION], lambda option: ExecutorModel("llm", "other"))


def ratings_of(store) -> dict[str, list[float | None]]:
    found = read_history(store).records
    return {work.option: [each.rating for each in records] for work, records in found.items()}


def test_a_rating_is_kept_with_its_bill():
    store = InMemoryStore()
    keep(store, "1", [bill()])
    keep(store, "2", [bill()])
    assert rate(store, "2", {"A (LLM)": 0.9, "B (LLM)": 0.1}) == 1
    assert ratings_of(store) == {"A (LLM)": [None, 0.9]}
    assert rate(store, "3", {"A (LLM)": 0.9}) == 0


def test_the_name_of_a_step_means_the_text_that_counts():
    store, other = InMemoryStore(), replace(OPTION, name="A (local)", executor="local")
    catalog = {each.name: each for each in (OPTION, other)}
    first = Attempt(bill(), "A", "writing", "number", False)
    then = Attempt(bill(option=other, executor_model=LOCAL), "A", "writing", after="A (LLM)")
    save_bills(store, "1", [first, then], catalog)
    assert rate(store, "1", {"A": True}) == 1
    assert ratings_of(store) == {"A (LLM)": [None], "A (local)": [1.0]}
    assert rate(store, "1", {"A (LLM)": False}) == 1
    assert ratings_of(store) == {"A (LLM)": [0.0], "A (local)": [1.0]}


@pytest.mark.parametrize("rating", [float("nan"), -1.0, 1.1, "1"])
def test_a_rating_that_is_none_is_refused(rating):
    with pytest.raises(InvalidInput, match=r"ratings\.A"):
        rate(InMemoryStore(), "1", {"A": rating})


def test_a_file_keeps_bills_for_later_processes(tmp_path):
    for number in (1, 2):
        with open_store(tmp_path / "estimates.sqlite") as store:
            keep(store, str(number), [bill(number)])
    with open_store(tmp_path / "estimates.sqlite") as store:
        assert tokens_of(store) == [1, 2]


def test_a_file_that_is_none_is_an_error_of_sqlite(tmp_path):
    (tmp_path / "other").write_text("no database" * 100)
    with pytest.raises(sqlite3.Error), open_store(tmp_path / "other"):
        pass


def test_a_run_that_is_resumed_keeps_its_rating_and_another_bill_has_none():
    store = InMemoryStore()
    keep(store, "run 1", [bill(900)])
    assert rate(store, "run 1", {"A": True}) == 1
    keep(store, "run 1", [bill(900)])
    assert ratings_of(store) == {"A (LLM)": [1.0]}
    keep(store, "run 1", [bill(950)])
    assert ratings_of(store) == {"A (LLM)": [None]}

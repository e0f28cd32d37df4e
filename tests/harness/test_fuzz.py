"""Whatever comes in, wherever something is read: it is taken as it is meant, or refused
in one clear sentence, and never ends in another error.

What other folders let in: budgets in words (`tests/budget/test_budget_phrase.py`), receipts
from outside (`tests/receipt/test_from_outside.py`), stores of bills
(`tests/estimates/test_history.py`).
"""

import json
import sqlite3
from contextlib import closing, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from tests.budget import strategies
from tests.cli.test_receipt_text import shown
from tests.graph.test_proposals import EXECUTORS, GOOD, KNOWN
from tests.options.test_recipe import OPTION
from tests.receipt.strategies import receipts
from tests.receipt.test_from_outside import changed, places
from thrifty.budget import (
    Budget,
    InvalidInput,
    LedgerUnavailable,
    Outcome,
    Plan,
    Spend,
    Step,
    StepOption,
    ThriftyError,
)
from thrifty.budget.plain_text import strip_unprintable
from thrifty.estimates.learned import LearnedEstimates
from thrifty.ledger.schema import MIGRATIONS, SQLITE, split_statements
from thrifty.ledger.sqlite import SqliteLedger
from thrifty.options.proposals import PROPOSALS_MAX, read_proposals
from thrifty.options.recipe import Recipe
from thrifty.receipt.html import receipt_page
from thrifty.receipt.terminal import receipt_view

hostile_texts = st.text() | st.sampled_from(
    ["\x1b[2J", "[/]", "[link=http://e]x", "<script>x</script>", "\u202e", "\0", "\ud800", "{{x}}"]
)
numbers = (
    st.integers()
    | st.floats()
    | st.sampled_from([2**63, 2**64, -(2**70), 1e308, float("nan"), float("inf"), True])
)
anything = st.recursive(
    st.none() | st.booleans() | numbers | hostile_texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(hostile_texts, inner, max_size=4),
    max_leaves=12,
)
proposals = st.fixed_dictionaries(
    {}, optional={field: anything | st.just(value) for field, value in GOOD.items()}
)


@given(st.lists(proposals | anything, max_size=8) | anything)
def test_any_proposals_are_few_sound_and_never_cheaper_than_ours(steps):
    read = read_proposals({"steps": steps}, KNOWN, EXECUTORS)
    options = [option for step in read.steps for option in step.options]
    assert len(options) == len(read.steps) <= PROPOSALS_MAX
    ours = [option for step in KNOWN for option in step.options]
    names = {each.name for each in (*KNOWN, *ours, *read.steps)}
    assert len(names) == len(KNOWN) + len(ours) + len(read.steps)
    for option in options:
        alike = [known.estimate for known in ours if known.executor == option.executor]
        assert option.executor in EXECUTORS
        assert 0 <= option.value <= max(known.value for known in ours)
        assert option.estimate.tokens >= min(estimate.tokens for estimate in alike)
        assert (
            strip_unprintable(option.name + option.description) == option.name + option.description
        )
    written = [step.to_state() for step in read.steps]
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    assert serde.loads_typed(serde.dumps_typed(written)) == written
    for remark in read.remarks:
        remark.encode("utf-8")


@given(anything)
def test_any_arguments_are_read(arguments):
    read_proposals(arguments, KNOWN, EXECUTORS)


@given(st.dictionaries(st.sampled_from([*OPTION, "name", "payload"]), anything, max_size=8))
def test_any_option_of_a_catalog_is_loaded_or_refused(changes):
    with suppress(InvalidInput):
        Recipe.of({"steps": [{"name": "Step", "options": [{**OPTION, **changes}]}]})


@given(st.text(alphabet=st.sampled_from("steps:[]{}-?*&!|>'\"#%@`\n\t ,0aeé\0\x1b"), max_size=80))
def test_any_catalog_file_is_loaded_or_refused(text):
    from thrifty.options.recipe_file import read_recipe_text

    with suppress(InvalidInput):
        read_recipe_text(text, "recipe x.yaml")


FIELDS = ["max_tokens", "max_cost_usd", "max_cost_nano_usd", "max_latency_ms", "max_tool_calls"]


@given(anything | st.dictionaries(st.sampled_from(FIELDS), anything | strategies.amounts))
def test_any_budget_is_exact_or_refused(state):
    with suppress(InvalidInput):
        budget = Budget.from_state(state)
        assert Budget.from_state(budget.to_state()) == budget
        assert all(limit is None or limit >= 0 for limit in budget.limits)


MEMBERS = {
    Spend: strategies.spends,
    Budget: strategies.budgets,
    StepOption: strategies.options,
    Step: strategies.steps(),
    Plan: strategies.plans,
    Outcome: strategies.outcomes,
    LearnedEstimates: st.just(LearnedEstimates(bill_count=1)),
}


@pytest.mark.parametrize("kind", MEMBERS, ids=lambda kind: kind.__name__)
@given(data=st.data(), new=anything)
def test_any_change_of_a_state_is_read_or_refused(kind, data, new):
    state = data.draw(MEMBERS[kind]).to_state()
    path = data.draw(st.sampled_from(list(places(state))))
    with suppress(InvalidInput):
        kind.from_state(changed(state, path, new))


@given(receipts(hostile_texts.filter(str.strip)), hostile_texts)
def test_any_receipt_is_shown_harmlessly(receipt, draft):
    page = receipt_page(receipt, draft)
    assert "<script" not in page.lower()
    page.encode("utf-8")
    written = "".join(shown(receipt_view(receipt, 60), 60))
    assert not set("\x00\x07\x1b\x9b\u202e\ud800") & set(written)


TABLES = ("thrifty_accounts", "thrifty_counters", "thrifty_entries", "thrifty_leases")
cells = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.binary(max_size=20)
    | st.sampled_from(["settled", "released", "in_doubt", "granted", "unsent", 0, 1, 499, 10**16])
)


@pytest.fixture(scope="module")
def columns():
    with closing(sqlite3.connect(":memory:")) as database, database:
        for statement in split_statements(MIGRATIONS[0], SQLITE):
            database.execute(statement)
        return [
            (table, row[1])
            for table in TABLES
            for row in database.execute(f"PRAGMA table_info({table})")
        ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), cell=cells)
def test_any_change_of_a_ledgers_row_is_kept_out_or_refused(tmp_path_factory, columns, data, cell):
    """By the database itself, or by the ledger in its own words; else it makes sense as it is."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    ledger = SqliteLedger(path)
    ledger.open("run", Budget(max_tokens=1_000, max_tool_calls=3))
    ledger.reserve("run", "settled", "label", Spend(300, 0, 0, 1))
    ledger.settle("run", "settled", Spend(200, 0, 5, 1), "an answer")
    ledger.reserve("run", "pending", "label", Spend(300, 0, 0, 1))
    ledger.disconnect()
    table, column = data.draw(st.sampled_from(columns))
    try:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("PRAGMA foreign_keys = ON")
            database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = 1", (cell,))
    except (sqlite3.Error, OverflowError):
        pass
    for act in (
        lambda: ledger.entries("run"),
        lambda: ledger.balance("run"),
        lambda: ledger.reserve("run", "new", "label", Spend(100, 0, 0, 1)),
        lambda: ledger.settle("run", "pending", Spend(1, 0, 0, 1)),
        lambda: ledger.take("run", "somebody"),
    ):
        with suppress(ThriftyError, KeyError):
            act()
    ledger.disconnect()


def test_a_ledger_row_is_never_code(tmp_path):
    """What is read back of an answer is text, and of a message JSON."""
    from thrifty.models.calls import stored_answer

    for text in ("cos\nsystem\n(S'true'\ntR.", '{"lc": 2, "type": "constructor", "id": ["os"]}'):
        with pytest.raises((ValueError, TypeError, LedgerUnavailable)):
            stored_answer.from_json(text)
    with suppress(ValueError, TypeError):
        stored_answer.from_json(json.dumps({"content": "x", "type": "constructor"}))

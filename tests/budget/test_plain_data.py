"""Every type turns into plain data and back unchanged, through a checkpoint's serializer too."""

import json
from typing import get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from tests.budget import strategies
from tests.receipt.strategies import lines, receipts
from thrifty.budget import (
    Budget,
    Cascade,
    CheckResult,
    InvalidInput,
    LeftOut,
    Outcome,
    Plan,
    Spend,
    Step,
    StepOption,
)
from thrifty.budget import states as states_of_budget
from thrifty.budget.decision import Decision
from thrifty.estimates.bill_record import BillRecord
from thrifty.estimates.learned import LearnedEstimates
from thrifty.estimates.learned_odds import NO_ODDS, LearnedOdds
from thrifty.planning.explanation import RequiredIncrease, ShadowPrice
from thrifty.planning.frontier import FrontierPoint
from thrifty.planning.upgrade import Upgrade
from thrifty.receipt.receipt_data import Receipt, ReceiptLine
from thrifty.steering.belief import SampleStatistics
from thrifty.steering.forecast import UNCERTAIN_RESOURCES, BillSummary, ExecutorModel

TEXTS = strategies.texts
VALUES = strategies.values
AMOUNTS = strategies.small_amounts
NAMES = st.lists(TEXTS, max_size=3).map(tuple)

summaries = st.builds(
    BillSummary,
    TEXTS,
    st.builds(ExecutorModel, TEXTS, st.text(max_size=5)),
    st.tuples(*[st.builds(SampleStatistics, VALUES, VALUES, VALUES)] * UNCERTAIN_RESOURCES),
)
shares = st.tuples(st.floats(0, 100), st.floats(100, 1e6))
"""So many, of so many."""
sums = st.dictionaries(TEXTS, shares, max_size=2)
tables = st.dictionaries(TEXTS, st.tuples(shares, shares).map(lambda two: (*two[0], *two[1])))
odds = st.builds(LearnedOdds, sums, tables, sums, sums, sums)

MEMBERS = {
    Spend: strategies.spends,
    Budget: strategies.budgets,
    StepOption: strategies.options,
    Step: strategies.steps(),
    LeftOut: st.builds(LeftOut, strategies.texts, strategies.texts, strategies.texts),
    Plan: strategies.plans,
    Outcome: strategies.outcomes,
    Decision: strategies.decisions(),
    ReceiptLine: lines(strategies.texts),
    Receipt: receipts(strategies.texts),
    BillRecord: st.builds(
        BillRecord, TEXTS, *([strategies.spends, st.floats(0, 10)] + [strategies.spends] * 2)
    ),
    LearnedEstimates: st.builds(
        LearnedEstimates, st.lists(summaries, max_size=3).map(tuple), odds, st.just(()), AMOUNTS
    ),
    LearnedOdds: odds,
    CheckResult: st.builds(CheckResult, TEXTS, st.none() | st.booleans(), TEXTS, strategies.spends),
    Cascade: st.builds(Cascade, TEXTS, TEXTS, TEXTS, st.floats(0, 1), st.floats(0, 100)),
    FrontierPoint: st.builds(FrontierPoint, strategies.budgets, VALUES, VALUES, NAMES, TEXTS),
    Upgrade: st.builds(Upgrade, TEXTS, AMOUNTS, VALUES, NAMES, NAMES),
    RequiredIncrease: st.builds(
        RequiredIncrease, TEXTS, TEXTS, TEXTS, st.dictionaries(TEXTS, AMOUNTS, max_size=3)
    ),
    ShadowPrice: st.builds(
        ShadowPrice, TEXTS, AMOUNTS, AMOUNTS, st.booleans(), VALUES, AMOUNTS, VALUES
    ),
}


@pytest.mark.parametrize("kind", MEMBERS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_it_survives_a_checkpoint_and_json(kind, data):
    member = data.draw(MEMBERS[kind])
    state = member.to_state()
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)  # strict: plain data only
    assert serde.loads_typed(serde.dumps_typed(state)) == state
    assert kind.from_state(serde.loads_typed(serde.dumps_typed(state))) == member
    assert kind.from_state(json.loads(json.dumps(state))) == member


@pytest.mark.parametrize("kind", MEMBERS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_its_plain_data_is_really_plain(kind, data):
    def check(part: object) -> None:
        assert type(part) in (dict, list, str, int, float, bool, type(None))
        if isinstance(part, dict):
            assert all(type(key) is str for key in part)
            for inner in part.values():
                check(inner)
        elif isinstance(part, list):
            for inner in part:
                check(inner)

    check(data.draw(MEMBERS[kind]).to_state())


def typed_dict(kind: type) -> type:
    """What a class says that it becomes."""
    (base,) = kind.__orig_bases__
    (form,) = base.__args__
    return getattr(states_of_budget, getattr(form, "__forward_arg__", ""), get_origin(form) or form)


DECLARED = [kind for kind in MEMBERS if kind is not Budget and typed_dict(kind) is not dict]
"""What a state channel holds, and so has a type of its own as plain data."""


@pytest.mark.parametrize("kind", DECLARED, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_its_plain_data_has_what_its_type_declares(kind, data):
    assert data.draw(MEMBERS[kind]).to_state().keys() == typed_dict(kind).__annotations__.keys()


@pytest.mark.parametrize(
    ("kind", "state", "field", "remedy"),
    [
        (Spend, {"x": 1}, "spend.x", "known fields: tokens, cost_nano_usd, latency_ms, tool_calls"),
        (LeftOut, {"option": "a"}, "left_out.step", "it is missing; fill it in"),
        (LeftOut, 5, "left_out", "use a mapping with any of: option, step, reason"),
        (LearnedEstimates, {}, "learned.summaries", "it is missing; fill it in"),
        (
            LearnedEstimates,
            {**LearnedEstimates().to_state(), "summaries": [5]},
            "learned.summaries",
            "use a mapping",
        ),
        (
            LearnedEstimates,
            {**LearnedEstimates().to_state(), "odds": [5]},
            "learned.odds",
            "use a mapping",
        ),
        (
            LearnedEstimates,
            {
                **LearnedEstimates().to_state(),
                "odds": {**NO_ODDS.to_state(), "ratings": {"a": 1}},
            },
            "learned.odds.ratings.a",
            "use a list",
        ),
        (
            LearnedEstimates,
            {**LearnedEstimates().to_state(), "residuals": 5},
            "learned.residuals",
            "use a list",
        ),
        (ReceiptLine, {"label": "a"}, "receipt.lines.executor", "it is missing; fill it in"),
    ],
)
def test_what_is_not_sound_is_refused_by_field_value_and_remedy(kind, state, field, remedy):
    with pytest.raises(InvalidInput) as refused:
        kind.from_state(state)
    assert refused.value.field == field
    assert refused.value.remedy.startswith(remedy)


def test_a_caller_says_what_the_whole_is_called():
    with pytest.raises(InvalidInput, match=r"^answer\.option\.name: got None; it is missing"):
        Outcome.from_state(
            {**Outcome(StepOption(*"abcd", Spend(), 1.0), "done").to_state(), "option": {}},
            "answer",
        )


def test_what_may_be_missing_has_its_default():
    assert Spend.from_state({}) == Spend()
    record = BillRecord("run", Spend(), 0.5, Spend(), Spend()).to_state()
    del record["rating"]
    assert BillRecord.from_state(record).rating is None


def test_what_follows_from_other_fields_is_written_and_not_read():
    state = Receipt("r", "t", "done", "", Budget(5), Spend(9), Spend(), (), (), (), ()).to_state()
    assert state["within_budget"] is False
    assert not Receipt.from_state({**state, "within_budget": True}).within_budget

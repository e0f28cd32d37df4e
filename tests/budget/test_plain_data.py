"""Every type turns into plain data and back unchanged, through a checkpoint's serializer too."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from tests.budget import strategies
from tests.receipt.strategies import lines, receipts
from thrifty.budget import Budget, LeftOut, Outcome, Plan, Spend, Step, StepOption
from thrifty.budget.decision import Decision
from thrifty.receipt.record import Line, Receipt

MEMBERS = {
    Spend: strategies.spends,
    Budget: strategies.budgets,
    StepOption: strategies.options,
    Step: strategies.steps(),
    LeftOut: st.builds(LeftOut, strategies.texts, strategies.texts, strategies.texts),
    Plan: strategies.plans,
    Outcome: strategies.outcomes,
    Decision: strategies.decisions(),
    Line: lines(strategies.texts),
    Receipt: receipts(strategies.texts),
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

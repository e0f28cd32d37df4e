"""Every type turns into plain data and back unchanged, through a checkpoint's serializer too."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from tests.budget import strategies
from thrifty.budget import Budget, LeftOut, Outcome, Plan, Spend, Step, StepOption
from thrifty.budget.decision import Decision
from thrifty.receipt.record import Line, Receipt

lines = st.builds(
    Line,
    what=strategies.texts,
    executor=strategies.texts,
    status=st.sampled_from(["done", "replaced", "overhead"]),
    planned=st.none() | strategies.spends,
    actual=strategies.spends,
    value=strategies.values,
    reason=strategies.texts,
)
receipts = st.builds(
    Receipt,
    run_id=strategies.texts,
    task=strategies.texts,
    status=st.sampled_from(["done", "halted"]),
    halt_reason=st.text(max_size=10),
    budget=strategies.budgets,
    spent=strategies.spends,
    planned=strategies.spends,
    bound_by=st.lists(st.sampled_from(["tokens", "cost"]), unique=True).map(tuple),
    lines=st.lists(lines, max_size=3).map(tuple),
    decisions=st.lists(strategies.decisions, max_size=3).map(tuple),
)
MEMBERS = {
    Spend: strategies.spends,
    Budget: strategies.budgets,
    StepOption: strategies.options,
    Step: strategies.steps(),
    LeftOut: st.builds(LeftOut, strategies.texts, strategies.texts, strategies.texts),
    Plan: strategies.plans,
    Outcome: strategies.outcomes,
    Decision: strategies.decisions,
    Line: lines,
    Receipt: receipts,
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

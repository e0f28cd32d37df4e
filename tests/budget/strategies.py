"""Random budgets, spends, options, steps and all that is made of them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

from hypothesis import strategies as st

from thrifty.budget import Budget, LeftOut, Outcome, Plan, Spend, Step, StepOption
from thrifty.budget.decision import Decision, DecisionKind
from thrifty.budget.validate import AMOUNT_MAX

amounts = st.integers(0, AMOUNT_MAX)
small_amounts = st.integers(0, 10_000)
texts = st.text(min_size=1, max_size=40).filter(str.strip)
values = st.floats(0, 1_000_000, allow_nan=False)
plain_data = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)

spends = st.builds(Spend, amounts, amounts, amounts, amounts)
small_spends = st.builds(Spend, small_amounts, small_amounts, small_amounts, small_amounts)
limits = st.none() | amounts
budgets = st.builds(
    Budget,
    max_tokens=limits,
    max_cost_usd=st.none() | amounts.map(lambda nano: Decimal(nano) / 10**9),
    max_latency_ms=limits,
    max_tool_calls=limits,
)
options = st.builds(
    StepOption,
    name=texts,
    step=texts,
    executor=texts,
    description=texts,
    estimate=spends,
    value=values,
    spread=st.floats(0, 10),
    payload=st.dictionaries(st.text(max_size=5), plain_data, max_size=3),
)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    name = draw(texts)
    ways = draw(st.lists(options, min_size=1, max_size=3))
    return Step(
        name=name,
        options=tuple(
            StepOption(o.name, name, o.executor, o.description, o.estimate, o.value, o.spread)
            for o in ways
        ),
        requires=tuple(draw(st.lists(texts, max_size=3))),
        topic=draw(texts),
        reads=draw(st.none() | st.lists(texts, max_size=2).map(tuple)),
        role=draw(st.sampled_from(["section", "material", "revision"])),
        required=draw(st.booleans()),
    )


plans = st.builds(
    Plan,
    status=st.sampled_from(["optimal", "feasible", "infeasible"]),
    engine=texts,
    chosen=st.lists(options, max_size=3, unique_by=lambda o: o.step).map(tuple),
    value=values,
    bound=values,
    left_out=st.lists(st.builds(LeftOut, texts, texts, texts), max_size=3).map(tuple),
    note=st.text(max_size=20),
)


def timed(members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Members that were never begun, and members with a start and an end."""
    spans = st.builds(lambda at, took: (at, at + took), small_amounts, small_amounts)
    return members | st.builds(
        lambda member, span: replace(member, started_ms=span[0], ended_ms=span[1]), members, spans
    )


outcomes = timed(
    st.builds(
        Outcome,
        option=options,
        status=st.sampled_from(["done", "cut", "failed", "skipped"]),
        text=st.text(max_size=50),
        actual=spends,
        reason=st.text(max_size=20),
        disables=st.sampled_from(["", "llm"]),
        data=st.none() | st.dictionaries(texts, st.integers(-9, 9), max_size=2),
    )
)


def decisions(texts: st.SearchStrategy[str] = texts) -> st.SearchStrategy[Decision]:
    """Decisions of every kind."""
    kinds = st.sampled_from(get_args(DecisionKind))
    return st.builds(Decision, kind=kinds, reason=texts, at_ms=small_amounts)

"""The order in which steps run."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from thrifty.budget import Spend, Step, StepOption
from thrifty.budget.step_set import order_steps


def step(name: str, *requires: str, role: str = "section") -> Step:
    option = StepOption(f"{name} (local)", name, "local", "does it", Spend(), 1.0)
    return Step(name, (option,), requires, role=role)


def names(*steps: Step) -> list[str]:
    return [step.name for step in order_steps(steps)]


def test_the_given_order_stands_where_nothing_speaks_against_it():
    assert names(step("C"), step("A"), step("B")) == ["C", "A", "B"]


def test_requirements_come_first():
    assert names(step("A", "C"), step("B"), step("C")) == ["B", "C", "A"]


def test_what_is_read_comes_first_where_it_is_there():
    reader = replace(step("A"), reads=("C", "a document"))
    assert names(reader, step("B"), step("C")) == ["B", "C", "A"]
    assert names(reader, step("B")) == ["A", "B"]


def test_revisions_come_last():
    assert names(step("P", role="revision"), step("A"), step("B")) == ["A", "B", "P"]


def test_a_requirement_that_is_not_there_counts_as_done():
    assert names(step("A", "done before"), step("B")) == ["A", "B"]


def test_a_chain_longer_than_the_recursion_limit_is_no_problem():
    chain = [step(str(i), str(i + 1)) for i in range(5_000)] + [step("5000")]
    assert names(*chain)[0] == "5000"


@given(st.permutations(range(6)), st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_every_requirement_is_before_what_requires_it(order, edges):
    forward = {(a, b) for a, b in edges if a < b}  # no circle is possible
    steps = [step(str(i), *(str(a) for a, b in forward if b == i)) for i in order]
    ran = names(*steps)
    assert sorted(ran) == [str(i) for i in range(6)]
    assert all(ran.index(str(a)) < ran.index(str(b)) for a, b in forward)

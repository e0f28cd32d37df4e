"""What can be chosen: not material that nobody is left to read, nor for want of what is excused."""

import pytest

from thrifty import Settings, Spend, Step, StepOption
from thrifty.executors.model_access import ModelAccess
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.options.availability import UNREAD, find_available_options, no_plan_reason

ACCESS = ModelAccess(ModelRoles(Settings("sk-1")), is_cost_limited=False)
GONE = "it raised ConnectionError"


def step(name: str, **fields: object) -> Step:
    return Step(name, (StepOption(name, name, "local", "does it", Spend(10), 1.0),), **fields)


def look(*steps: Step, gone: str = "", finished=()) -> tuple[list[str], dict[str, str], str]:
    """What is offered, why the rest is not, and why there is no plan."""
    offered, left_out = find_available_options(
        steps, ACCESS, lambda option: GONE if option.step in gone else ""
    )
    reasons = {each.option: each.reason for each in left_out}
    return [s.name for s in offered], reasons, no_plan_reason(steps, offered, left_out, finished)


def test_material_whose_readers_cannot_be_done_is_not_offered():
    query = step("Q", role="material")
    facts = step("F", role="material", reads=("Q",))
    steps = query, facts, step("A", reads=("F",)), step("B")
    assert look(*steps)[0] == ["Q", "F", "A", "B"]
    offered, reasons, no_plan = look(*steps, gone="A")
    assert (offered, no_plan) == (["B"], "")
    assert reasons == {"A": GONE, "F": UNREAD, "Q": UNREAD}
    assert look(*steps[:3], gone="A")[2] == f"nothing can be done: {GONE}"


def test_material_that_nobody_reads_or_that_is_required_is_offered():
    assert look(step("M", role="material"), step("A"), gone="A")[0] == ["M"]
    required = step("M", role="material", required=True)
    assert look(required, step("A", reads=("M",)), gone="A")[0] == ["M"]


@pytest.mark.parametrize(
    ("gone", "finished", "expected"),
    [
        ("B", (), ""),
        ("BA", (), f"the required step 'B' cannot be done: {GONE}"),
        ("BA", ("A",), ""),
    ],
)
def test_a_section_that_is_required_is_excused_by_an_answer(gone, finished, expected):
    steps = step("A", role="answer"), step("B", required=True)
    assert look(*steps, gone=gone, finished=finished)[2] == expected


def test_an_answer_that_is_required_is_excused_by_one_that_is_done():
    steps = step("A", role="answer", required=True), step("B", role="answer")
    assert look(*steps, gone="A")[2] == f"the required step 'A' cannot be done: {GONE}"
    assert look(*steps, gone="A", finished=("B",))[2] == ""

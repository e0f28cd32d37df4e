"""Options, steps, plans, outcomes and decisions: their bounds, and what they tell of themselves."""

import re

import pytest

from thrifty.budget import (
    InvalidInput,
    LeftOut,
    Outcome,
    Plan,
    Spend,
    Step,
    StepOption,
    total_spend,
)
from thrifty.budget.decision import Decision
from thrifty.budget.step_set import group_by_step


def option(name: str = "a", step: str = "S", **changed: object) -> StepOption:
    given = {"executor": "local", "description": "does it", "estimate": Spend(1), "value": 1.0}
    return StepOption(name, step, **{**given, **changed})


@pytest.mark.parametrize(
    ("field", "most", "beyond"),
    [
        ("name", "n" * 120, "n" * 121),
        ("step", "s" * 120, "s" * 121),
        ("executor", "e" * 120, "e" * 121),
        ("description", "d" * 2_000, "d" * 2_001),
        ("value", 1_000_000, 1_000_001),
        ("spread", 10, 10.1),
    ],
)
def test_a_field_of_an_option_has_a_bound_and_may_reach_it(field, most, beyond):
    assert getattr(option(**{field: most}), field) == most
    where = "option" if field == "name" else "option 'a'"
    with pytest.raises(InvalidInput) as refused:
        option(**{field: beyond})
    assert (refused.value.field, refused.value.value) == (f"{where}.{field}", beyond)


def test_an_option_that_is_estimated_otherwise_is_the_same_in_all_else():
    before = option(payload={"template": "x"}, spread=0.5)
    after = before.with_estimate(Spend(9), 0.1)
    assert (after.estimate, after.spread) == (Spend(9), 0.1)
    assert after.with_estimate(before.estimate, before.spread) == before


def test_an_option_is_uncertain_unless_it_says_otherwise():
    assert option().spread == 0.25


def test_the_name_of_a_step_has_a_bound_and_may_reach_it():
    longest = "s" * 120
    assert Step(longest, (option(step=longest),)).name == longest
    for name in ("", longest + "s"):
        with pytest.raises(InvalidInput) as refused:
            Step(name, (option(),))
        assert refused.value.field == "step.name"


def test_a_step_without_a_topic_is_its_own():
    assert Step("S", (option(),)).topic == "S"
    assert Step("S", (option(),), topic="T").topic == "T"


def test_a_step_can_offer_other_options():
    step = Step("S", (option(),), ("R",), ("D",), "T", "revision", True)
    other = option("b")
    assert step.with_options((other,)) == Step("S", (other,), ("R",), ("D",), "T", "revision", True)


def test_loose_options_are_grouped_by_their_steps():
    a, b, c = option("a", "S"), option("b", "T"), option("c", "S")
    assert group_by_step([a, b, c]) == (Step("S", (a, c)), Step("T", (b,)))
    assert group_by_step([]) == ()


def test_a_plan_expects_the_sum_of_what_it_chose():
    a, b = option("a", "S", estimate=Spend(1, 2, 3, 4)), option("b", "T", estimate=Spend(5))
    assert Plan("optimal", "exact", (a, b)).expected == Spend(6, 2, 3, 4)
    assert Plan("infeasible", "exact").expected == Spend() == total_spend([])


def test_the_gap_of_a_plan_is_a_share_of_its_bound():
    assert Plan("feasible", "exact", value=9.0, bound=12.0).gap == 0.25
    assert Plan("feasible", "exact", value=0.25, bound=0.5).gap == 0.5
    assert Plan("infeasible", "exact").gap == 0.0


def test_a_plan_chooses_one_option_a_step_at_most():
    with pytest.raises(InvalidInput) as refused:
        Plan("optimal", "exact", (option("a"), option("b")))
    assert (refused.value.field, refused.value.value) == ("plan.chosen", "S")


@pytest.mark.parametrize("status", ["done", "cut"])
def test_work_that_is_done_or_cut_has_left_a_text(status):
    assert Outcome(option(), status).has_text


@pytest.mark.parametrize("status", ["failed", "skipped", "stopped"])
def test_work_that_came_to_nothing_has_left_none(status):
    assert not Outcome(option(), status).has_text


def test_an_outcome_is_of_its_options_step():
    assert Outcome(option(step="S"), "done").step == "S"


def test_planning_time_is_no_part_of_what_a_plan_is():
    assert Plan("optimal", "exact", elapsed_us=1) == Plan("optimal", "exact", elapsed_us=2)


OPTION = option().to_state()
PLAN = Plan("optimal", "exact").to_state()
OUTCOME = Outcome(option(), "done").to_state()
STEP = Step("S", (option(),)).to_state()
DECISION = Decision("plan", "so").to_state()


@pytest.mark.parametrize(
    ("kind", "state", "field"),
    [
        (StepOption, {**OPTION, "x": 1}, "option.x"),
        (StepOption, {k: v for k, v in OPTION.items() if k != "estimate"}, "option.estimate"),
        (StepOption, {**OPTION, "estimate": 5}, "option.estimate"),
        (StepOption, {**OPTION, "estimate": {"tokens": -1}}, "tokens"),
        (Step, {**STEP, "x": 1}, "step.x"),
        (Step, {**STEP, "options": 5}, "step.options"),
        (Step, {**STEP, "options": [5]}, "step.options"),
        (Step, {**STEP, "requires": "S"}, "step.requires"),
        (Step, {**STEP, "role": "x"}, "step 'S'.role"),
        (Plan, {**PLAN, "x": 1}, "plan.x"),
        (Plan, {**PLAN, "status": "x"}, "plan.status"),
        (Plan, {**PLAN, "chosen": 5}, "plan.chosen"),
        (Plan, {**PLAN, "chosen": [5]}, "plan.chosen"),
        (Plan, {**PLAN, "left_out": 5}, "plan.left_out"),
        (Plan, {**PLAN, "left_out": [5]}, "plan.left_out"),
        (LeftOut, {"option": "a", "step": "S"}, "left_out.reason"),
        (Outcome, {**OUTCOME, "x": 1}, "outcome.x"),
        (Outcome, {**OUTCOME, "status": "x"}, "outcome.status"),
        (Outcome, {**OUTCOME, "option": 5}, "outcome.option"),
        (Outcome, {**OUTCOME, "actual": 5}, "outcome.actual"),
        (Outcome, {**OUTCOME, "started_ms": 2, "ended_ms": 1}, "outcome.ended_ms"),
        (Decision, {**DECISION, "x": 1}, "decision.x"),
        (Decision, {**DECISION, "kind": "x"}, "decision.kind"),
        (Decision, {**DECISION, "reason": None}, "decision.reason"),
        (Decision, {**DECISION, "at_ms": -1}, "decision.at_ms"),
        (Spend, {"x": 1}, "spend.x"),
        (Spend, 5, "spend"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_plain_data_that_is_not_sound_is_refused_by_the_name_of_its_field(kind, state, field):
    with pytest.raises(InvalidInput, match=f"^{re.escape(field)}: got"):
        kind.from_state(state)


def test_plain_data_can_be_called_as_it_was_written():
    for kind in (StepOption, Step):
        with pytest.raises(InvalidInput, match=r"^steps\[3\]\.options\[0\]: got 5"):
            kind.from_state(5, "steps[3].options[0]")
    with pytest.raises(InvalidInput, match=r"^steps\[3\]\.estimate: got 5"):
        StepOption.from_state({**OPTION, "estimate": 5}, "steps[3]")
    for name in ("options", "requires"):
        with pytest.raises(InvalidInput, match=rf"^steps\[3\]\.{name}: got 5"):
            Step.from_state({**STEP, name: 5}, "steps[3]")
    with pytest.raises(InvalidInput, match=r"^estimate: got 5"):
        Spend.from_state(5, "estimate")

"""Estimating anew: no bills change nothing, few move a little, many decide; caps stay out of it."""

from dataclasses import replace
from functools import reduce
from math import exp, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.steering.at_once import forecast_steps
from thrifty import Spend, Step, StepOption
from thrifty.steering.belief import Belief, SampleStatistics
from thrifty.steering.forecast import (
    RATIO_MAX,
    Bill,
    BillSummary,
    ExecutorModel,
    Forecaster,
    describe_drift,
    summarise_bill,
    summarise_bills,
)

STRONG, CHEAP = ExecutorModel("llm", "strong"), ExecutorModel("llm", "cheap")
amounts = st.integers(0, 10**15)
spreads = st.floats(0, 10)


def option(name: str, tokens: int = 600, spread: float = 0.25) -> StepOption:
    spend = Spend(tokens, 10 * tokens, 1_000, 1)
    return StepOption(name, name, "llm", "does it", spend, 5.0, spread)


def executor_model_of(option: StepOption) -> ExecutorModel:
    return CHEAP if "cheap" in option.name else STRONG


def bill_at(name: str, ratio: float) -> Bill:
    tokens, nano, ms, calls = option(name).estimate.amounts
    actual = Spend(round(tokens * ratio), round(nano * ratio), round(ms * ratio), calls)
    return Bill(option(name), executor_model_of(option(name)), actual)


def foreseen(name: str, *bills: Bill) -> StepOption:
    (step,) = forecast_steps(
        [Step(name, (option(name),))], executor_model_of, summarise_bills(bills)
    )
    return step.options[0]


@given(st.lists(st.builds(option, st.sampled_from("ABC"), amounts.map(lambda a: a // 10), spreads)))
def test_without_bills_every_estimate_stays_exactly_as_it_is(options):
    steps = tuple(Step(o.name, (o,)) for o in options)
    assert forecast_steps(steps, executor_model_of, ()) == steps


def test_one_bill_moves_an_estimate_part_of_the_way():
    assert 600 < foreseen("A", bill_at("B", 2.0)).estimate.tokens < 1200


def test_many_bills_decide():
    after = foreseen("A", *[bill_at("B", 2.0)] * 100)
    assert after.estimate.tokens == pytest.approx(1200, rel=0.05)
    assert after.estimate.cost_nano_usd == pytest.approx(12_000, rel=0.05)
    assert after.estimate.latency_ms == pytest.approx(2_000, rel=0.05)
    assert after.estimate.tool_calls == 1
    assert after.spread < 0.25


def test_an_option_moves_further_by_its_own_bills_than_by_its_executor_models():
    others = [bill_at("B", 1.0)] * 10
    own = [bill_at("A", 2.0)] * 10
    assert (
        foreseen("B", *others, *own).estimate.tokens < foreseen("A", *others, *own).estimate.tokens
    )


def test_who_was_not_seen_is_estimated_as_before():
    assert foreseen("A cheap", bill_at("B", 2.0)) == option("A cheap")


def test_scattered_bills_widen_the_spread_and_even_ones_narrow_it():
    assert foreseen("A", *[bill_at("B", r) for r in (0.3, 3.0, 0.4, 2.5)]).spread > 0.25
    assert foreseen("A", *[bill_at("B", 1.0)] * 20).spread < 0.25


def test_what_is_declared_to_be_certain_stays_certain():
    exact = Step("A", (option("A", spread=0.0),))
    assert forecast_steps([exact], executor_model_of, summarise_bills([bill_at("B", 3.0)])) == (
        exact,
    )


def test_it_finds_the_mean_and_the_spread_that_bills_were_drawn_from():
    random = Random(3)
    bills = [bill_at("B", 1.6 * exp(random.gauss(-0.08, 0.4))) for _ in range(2_000)]
    after = foreseen("A", *bills)
    assert after.estimate.tokens == pytest.approx(1.6 * 600, rel=0.05)
    assert after.spread == pytest.approx(0.42, rel=0.1)


def test_it_finds_the_mean_of_wildly_scattered_bills():
    random = Random(3)
    bills = [bill_at("B", 1.6 * exp(random.gauss(-0.32, 0.8))) for _ in range(2_000)]
    assert foreseen("A", *bills).estimate.tokens == pytest.approx(1.6 * 600, rel=0.05)


def test_bills_beyond_all_measure_leave_a_wide_spread():
    assert foreseen("A", *[bill_at("B", ratio) for ratio in [0.05, 20.0] * 20]).spread > 2


def test_even_bills_of_an_uncertain_option_are_believed():
    unsure = option("A", spread=1.0)
    bills = [Bill(unsure, STRONG, Spend(1_200, 12_000, 2_000, 1))] * 500
    (step,) = forecast_steps([Step("A", (unsure,))], executor_model_of, summarise_bills(bills))
    assert step.options[0].estimate.tokens == pytest.approx(1_200, rel=0.05)


def test_it_does_not_matter_in_which_order_bills_came():
    ahead, behind = (bill_at("B", 3.0), bill_at("C", 1.0)), (bill_at("C", 1.0), bill_at("B", 3.0))
    assert foreseen("A", *ahead).estimate == foreseen("A", *behind).estimate
    assert foreseen("A", *ahead).spread == pytest.approx(foreseen("A", *behind).spread)
    assert foreseen("A", *ahead) != foreseen("A", ahead[0])


def test_each_resource_is_moved_by_its_own_bills():
    bills = [Bill(option("B"), STRONG, Spend(1_200, 6_000, 500, 1))] * 50
    after = foreseen("A", *bills).estimate
    assert after.tokens > 1_000
    assert after.latency_ms < 600
    assert after.cost_nano_usd == pytest.approx(6_000, rel=0.05)


def test_a_resource_that_nobody_estimated_says_nothing_of_the_others():
    timed = replace(option("B"), estimate=Spend(0, 0, 1_000, 1))
    after = foreseen("A", *[Bill(timed, STRONG, Spend(7, 7, 2_000, 1))] * 20)
    assert after.estimate.amounts[:2] == option("A").estimate.amounts[:2]
    assert after.estimate.latency_ms > 1_500
    assert after.spread < 0.25


def test_the_first_resource_that_is_used_speaks_for_the_spread():
    bills = [Bill(option("B"), STRONG, Spend(600, 6_000, ms, 1)) for ms in [100, 9_000] * 10]
    assert foreseen("A", *bills).spread < 0.25
    timed = replace(option("C"), estimate=Spend(0, 0, 1_000, 1))
    together = [Step("A", (option("A"),)), Step("C", (timed,))]
    paid, free = forecast_steps(together, executor_model_of, summarise_bills(bills))
    assert paid.options[0].spread < 0.25 < free.options[0].spread


def test_a_bill_counts_once_and_by_how_far_it_strayed():
    assert [sample.count for sample in summarise_bill(bill_at("A", 1.6)).statistics] == [
        1.0,
        1.0,
        1.0,
    ]
    large = replace(option("A"), estimate=Spend(10**9))
    middling = Bill(large, STRONG, Spend(round(10**9 / sqrt(1 + 0.25**2))))
    assert middling.deviations == (pytest.approx(0, abs=1e-6), None, None)
    assert Bill(large, STRONG, Spend()).deviations[0] < -10


@pytest.mark.parametrize(("beyond", "edge"), [(0, 30), (1, 30), (10**9, 12_000)])
def test_a_ratio_beyond_the_largest_says_no_more_than_that(beyond, edge):
    assert 600 * RATIO_MAX == 12_000
    strayed = [Bill(option("A"), STRONG, Spend(tokens)).deviations[0] for tokens in (beyond, edge)]
    assert strayed[0] == strayed[1]


@given(
    st.lists(
        st.tuples(
            st.builds(option, st.sampled_from("ABC"), amounts.map(lambda a: a // 10), spreads),
            st.builds(Spend, amounts, amounts, amounts, amounts),
        ),
        max_size=8,
    )
)
def test_whatever_was_billed_an_estimate_stays_usable_and_bounded(work):
    bills = [Bill(option, executor_model_of(option), actual) for option, actual in work]
    (step,) = forecast_steps([Step("A", (option("A"),))], executor_model_of, summarise_bills(bills))
    after = step.options[0]
    for before, now in zip(option("A").estimate.amounts, after.estimate.amounts, strict=True):
        assert before / RATIO_MAX - 1 <= now <= before * RATIO_MAX + 1
    assert replace(after, estimate=option("A").estimate, spread=0.25) == option("A")


@given(st.lists(st.floats(-12, 12)), st.lists(st.floats(-12, 12)))
def test_summaries_merge_as_if_all_had_been_seen_at_once(some, others):
    def summarise(observations: list[float]) -> SampleStatistics:
        each = (SampleStatistics(1.0, observation) for observation in observations)
        return reduce(SampleStatistics.merge, each, SampleStatistics())

    apart, at_once = summarise(some).merge(summarise(others)), summarise([*some, *others])
    assert apart.count == at_once.count
    assert apart.mean == pytest.approx(at_once.mean, abs=1e-9)
    assert apart.squared_deviations == pytest.approx(at_once.squared_deviations, abs=1e-6)


def test_what_is_remembered_can_weigh_less():
    long_ago = SampleStatistics(100.0, 2.0, 300.0)
    assert long_ago.cap_weight(10.0) == SampleStatistics(10.0, 2.0, 30.0)
    assert long_ago.cap_weight(200.0) is long_ago
    assert Belief().updated_by(long_ago).mean > Belief().updated_by(long_ago.cap_weight(1.0)).mean


def test_tallies_add_up_whenever_their_bills_come():
    bills = [bill_at("A", 2.0), bill_at("B", 0.5), bill_at("A", 1.0)]
    later = Forecaster(summarise_bills(bills[:1]))
    for bill in bills[1:]:
        later.add(summarise_bill(bill))
    assert tuple(later.by_option.values()) == summarise_bills(bills)
    assert BillSummary("A", STRONG).merge(summarise_bills(bills)[0]) == summarise_bills(bills)[0]


def test_drift_is_told_of_whom_it_shows():
    assert describe_drift([bill_at("A", 1.6), bill_at("B", 1.6), bill_at("C cheap", 1.05)]) == (
        "strong came to 1.6 times its estimates"
    )
    assert describe_drift([bill_at("A", 0.0)]) == ""
    assert describe_drift([]) == ""
    assert describe_drift([bill_at("A", 1.6), bill_at("B cheap", 0.5)]) == (
        "strong came to 1.6 times its estimates, cheap came to 0.5 times its estimates"
    )


@pytest.mark.parametrize(
    ("estimate", "actual", "told"),
    [(10, 11, "1.1"), (11, 10, "0.9"), (100, 109, ""), (100, 92, "")],
)
def test_drift_of_a_tenth_is_worth_a_word(estimate, actual, told):
    bill = Bill(
        replace(option("A"), estimate=Spend(estimate)), ExecutorModel("mine"), Spend(actual)
    )
    assert describe_drift([bill]) == (told and f"mine came to {told} times its estimates")


def test_what_was_not_estimated_does_not_drift():
    unknown = Bill(replace(option("A"), estimate=Spend()), STRONG, Spend(5))
    known = Bill(replace(option("A"), estimate=Spend(0, 0, 1)), STRONG, Spend(0, 0, 2))
    assert describe_drift([unknown]) == ""
    assert describe_drift([unknown, known]) == "strong came to 2.0 times its estimates"


def test_a_step_of_which_the_same_is_expected_is_the_very_same():
    seen, steps = (
        Forecaster(summarise_bills([bill_at("B", 1.3)] * 1_000)),
        [Step("A", (option("A"),))],
    )
    (before,) = seen.forecast_steps(steps, executor_model_of)
    seen.add(summarise_bill(bill_at("B", 1.3)))
    assert seen.forecast_steps(steps, executor_model_of) == (before,)
    assert seen.forecast_steps(steps, executor_model_of)[0] is before
    for _ in range(1_000):
        seen.add(summarise_bill(bill_at("B", 2.6)))
    (after,) = seen.forecast_steps(steps, executor_model_of)
    assert after.options[0].estimate.tokens > before.options[0].estimate.tokens
    assert (after,) == forecast_steps(steps, executor_model_of, seen.by_option.values())


def test_a_bill_of_its_own_moves_a_step_where_it_moves_no_other():
    steps = [Step(name, (option(name),)) for name in "AC"]
    seen = Forecaster(summarise_bills([bill_at("B", ratio) for ratio in (0.9, 1.3, 1.9)] * 3_000))
    before = seen.forecast_steps(steps, executor_model_of)
    seen.add(summarise_bill(bill_at("A", 2.6)))
    after = seen.forecast_steps(steps, executor_model_of)
    assert after[0].options[0].estimate.tokens > before[0].options[0].estimate.tokens
    assert after[1] is before[1]


def test_a_step_of_which_nothing_was_seen_is_the_very_same():
    steps = [Step("A", (option("A"),)), Step("cheap B", (option("cheap B"),))]
    assert Forecaster([]).forecast_steps(steps, executor_model_of)[0] is steps[0]
    assert (
        Forecaster(summarise_bills([bill_at("A", 1.3)])).forecast_steps(steps, executor_model_of)[1]
        is steps[1]
    )


@given(st.lists(st.tuples(st.sampled_from(["A", "B", "cheap A"]), st.floats(0, 8)), max_size=30))
def test_what_is_expected_after_each_bill_is_what_all_bills_together_suggest(bills):
    steps = [
        Step("A", (option("A", spread=0.25), replace(option("cheap A"), step="A"))),
        Step("B", (option("B", spread=1.0),)),
        Step("C", (option("C", spread=1.0),)),
        Step("D", (replace(option("cheap D"), step="D"),)),
    ]
    seen, so_far = Forecaster(summarise_bills([bill_at("C", 1.5)])), [bill_at("C", 1.5)]
    for name, ratio in bills:
        so_far.append(bill_at(name, ratio))
        seen.add(summarise_bill(so_far[-1]))
        assert seen.forecast_steps(steps, executor_model_of) == forecast_steps(
            steps, executor_model_of, summarise_bills(so_far)
        )

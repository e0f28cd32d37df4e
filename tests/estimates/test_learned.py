"""What a run takes along: nothing from nothing, the same from the same, and only so much."""

import json
from dataclasses import replace
from math import exp
from random import Random

import pytest
from langgraph.store.memory import InMemoryStore

from tests.steering.at_once import forecast_steps
from thrifty import Problem, Spend, Step, StepOption, make_plan
from thrifty.budget import Budget
from thrifty.estimates.bill_record import BillRecord
from thrifty.estimates.history import Attempt, BilledOption, BillHistory, read_history, save_bills
from thrifty.estimates.learned import (
    EXECUTOR_MODEL_WEIGHT,
    NOTHING_LEARNED,
    OPTION_WEIGHT,
    LearnedEstimates,
    learn_from_history,
)
from thrifty.options.recipe import proposal_recipe
from thrifty.planning.risk import SAMPLES_MIN
from thrifty.steering.forecast import Bill, ExecutorModel

GPT = ExecutorModel("llm", "gpt-5")
OPTION = StepOption("A", "A", "llm", "does it", Spend(600, 60, 1_000, 1), 5.0)


def executor_model_of(option: StepOption) -> ExecutorModel:
    return GPT if option.executor == "llm" else ExecutorModel(option.executor)


def record(ratio: float, option: StepOption = OPTION, rating: float | None = None) -> BillRecord:
    tokens, nano, ms, calls = option.estimate.amounts
    actual = Spend(round(tokens * ratio), round(nano * ratio), round(ms * ratio), calls)
    return BillRecord("run", option.estimate, option.spread, option.estimate, actual, rating=rating)


def learned(*records: BillRecord, option: StepOption = OPTION) -> LearnedEstimates:
    return learn_from_history(
        BillHistory({BilledOption(option.name, GPT): records}), [option], executor_model_of
    )


def tokens_after(known: LearnedEstimates) -> int:
    (step,) = forecast_steps([Step("A", (OPTION,))], executor_model_of, known.summaries)
    return step.options[0].estimate.tokens


def test_a_cold_start_is_the_catalog_itself():
    steps = proposal_recipe().steps
    known = learn_from_history(BillHistory({}), proposal_recipe().options, executor_model_of)
    assert known == NOTHING_LEARNED
    assert forecast_steps(steps, executor_model_of, known.summaries) == steps
    assert known.residuals == ()


def test_many_bills_decide():
    assert tokens_after(learned(*[record(1.5)] * 40)) == pytest.approx(900, rel=0.1)
    assert 600 < tokens_after(learned(record(1.5))) < 800


def test_who_changed_an_estimate_knew_better():
    changed = replace(OPTION, estimate=Spend(900, 60, 1_000, 1))
    history = BillHistory({BilledOption("A", GPT): (record(1.5),) * 40})
    assert learn_from_history(history, [changed], executor_model_of) == NOTHING_LEARNED


def test_another_price_and_a_longer_task_change_no_estimate():
    """A bill is held against what was expected of that very call."""
    sent = OPTION.as_sent(Spend(6_000, 900, 1_000, 1))
    actual = Spend(6_300, 945, 1_050, 1)
    long = BillRecord("run", OPTION.estimate, OPTION.spread, sent.estimate, actual)
    assert learned(*[long] * 40).bill_count == 40
    # It came out 300 tokens higher, which is two deviations of what is uncertain in it.
    assert tokens_after(learned(*[long] * 40)) == pytest.approx(750, rel=0.15)


def test_nothing_counts_for_more_than_its_weight():
    options = [replace(OPTION, name=name, step=name) for name in "ABCDEFGH"]
    records = {BilledOption(o.name, GPT): (record(1.5, o),) * 40 for o in options}
    known = learn_from_history(BillHistory(records), options, executor_model_of)
    counts = [summary.statistics[0].count for summary in known.summaries]
    assert max(counts) <= OPTION_WEIGHT
    assert sum(counts) == pytest.approx(EXECUTOR_MODEL_WEIGHT)


def test_the_same_bills_are_learned_from_in_whatever_order_options_come():
    options = [o for o in proposal_recipe().options if o.executor == "llm"]
    learnt = []
    for order in (options, options[::-1]):
        store = InMemoryStore()
        for number in range(15):
            ratio = exp(Random(number).gauss())
            actuals = {o.name: record(ratio, o).actual for o in options}
            bills = [Bill(o, GPT, actuals[o.name]) for o in order]
            save_bills(
                store,
                str(number),
                [Attempt(b, b.option.step, "") for b in bills],
                {o.name: o for o in order},
            )
        learnt.append(
            learn_from_history(read_history(store), proposal_recipe().options, executor_model_of)
        )
    assert learnt[0] == learnt[1] != NOTHING_LEARNED


def test_it_survives_a_checkpoint():
    known = learned(*[record(ratio, rating=0.7) for ratio in (0.5, 1.0, 2.0) * 14])
    assert len(known.residuals) >= SAMPLES_MIN
    assert LearnedEstimates.from_state(json.loads(json.dumps(known.to_state()))) == known


def test_surprises_are_those_of_the_newer_half():
    """The older half was as estimated, the newer one twice that: all of it is a surprise."""
    known = learned(*[record(1.0)] * 20, *[record(2.0)] * 20)
    assert len(known.residuals) == 20
    assert min(known.residuals) > 2


def test_few_bills_leave_the_margin_to_the_spread():
    assert learned(*[record(1.0)] * (SAMPLES_MIN - 1)).residuals == ()


def test_surprises_cover_what_they_are_asked_to():
    """Held against bills that were not seen: the margin is outgrown as often as was accepted."""
    random = Random(5)
    drawn = [record(1.4 * exp(random.gauss(-0.18, 0.6))) for _ in range(240)]
    covered = total = 0
    for start in range(0, 200, 40):
        known = learned(*drawn[start : start + 40])
        (step,) = forecast_steps([Step("A", (OPTION,))], executor_model_of, known.summaries)
        for later in drawn[start + 40 :]:
            room = later.actual.tokens
            problem = Problem((step,), Budget(room), risk=0.2, residuals=known.residuals)
            total += 1
            covered += not make_plan(problem).chosen  # what would have been cut was not planned
    assert covered / total == pytest.approx(0.8, abs=0.1)


def test_local_work_that_bills_nothing_is_no_surprise():
    free = BillRecord("run", OPTION.estimate, OPTION.spread, OPTION.estimate, Spend())
    assert learned(*[free] * 40).residuals == ()

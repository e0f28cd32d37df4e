"""Replays of executed plans: nobody sees what is to be decided, and held runs are never over."""

from dataclasses import replace
from statistics import fmean

import pytest

from benchmarks.replay import policy_table as asked
from benchmarks.replay.bill_model import BillModel
from benchmarks.replay.bootstrap import bootstrap_by_task
from benchmarks.replay.cases import QUANTILES, make_cases, tuning_tasks
from benchmarks.replay.execution_log import QueryTask, read_log
from benchmarks.replay.planner_choice import choose_by_planner
from benchmarks.replay.policy_table import THRIFTY_POLICY, bills_before, replay_cases
from benchmarks.replay.stepwise_execution import (
    PlanRun,
    choose_always,
    choose_likeliest,
    execute_stepwise,
    fit_probability,
)
from benchmarks.replay.tables import comparison_table, forecast_table, overview_table
from benchmarks.replay.whole_plan_policies import (
    best_by_forecast,
    largest_bill,
    mean_bill,
    run_cheapest,
    run_oracle,
)
from tests.benchmarks.logs import BESIDE, drawn, line, write

HELD = (THRIFTY_POLICY, "cheapest, held", "planned and held")
MEDIAN = QUANTILES.index(0.5)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return read_log(write(tmp_path_factory.mktemp("log"), drawn(seed=1)))


@pytest.fixture(scope="module")
def played(log):
    cases = make_cases(log)
    return cases, list(replay_cases(cases, bills_before(log)))


def test_what_was_done_to_the_input_before_is_part_of_a_work(tmp_path):
    fan = [["input_of_query"], ["deblur"], ["deblur"]]
    rows = read_log(
        write(
            tmp_path,
            [
                line(1, 1, ("deblur", "denoise"), (1, 2), 0.5),
                line(1, 1, ("deblur", "denoise", "caption"), (1, 2, 3), 0.6),
                line(1, 1, ("deblur", "denoise", "caption"), (1, 2, 3), 0.7, deps=fan),
            ],
        )
    )
    short, chain, forked = rows
    assert chain.tools[:2] == short.tools == forked.tools[:2]
    assert chain.tools[2] != forked.tools[2]
    assert chain.plan != forked.plan
    assert [row.bill_nano_usd for row in rows] == [3, 6, 6]


def test_held_runs_are_never_over(played):
    cases, results = played
    for case, found in zip(cases, results, strict=True):
        for name in HELD:
            for result, budget in zip(found[name], case.budgets_nano_usd, strict=True):
                assert not result.is_over
                assert result.spent_nano_usd <= budget


def test_the_unheld_ones_do_go_over_in_this_log(played):
    assert any(r.is_over for found in played[1] for r in found["mean bill"])
    assert any(r.is_over for found in played[1] for r in found["cheapest"])


def test_scores_are_the_logs_and_nobody_beats_the_oracle(played):
    cases, results = played
    for case, found in zip(cases, results, strict=True):
        scores = {row.score for row in case.candidates} | {0.0}
        for name, reached in found.items():
            assert {result.score for result in reached} <= scores, name
            for result, best in zip(reached, found["oracle"], strict=True):
                assert result.score <= best.score, name


def test_holding_loses_no_score_of_the_cheapest(played):
    for found in played[1]:
        for own, bare in zip(found["cheapest, held"], found["cheapest"], strict=True):
            assert own.score >= bare.score
            assert own.score == bare.score or bare.is_over


def test_nothing_of_an_input_is_known_before_it_is_decided(log, monkeypatch):
    """Its bills in other tasks would tell how large it is."""
    told = []
    monkeypatch.setattr(asked, "BillModel", lambda rows: told.append(rows) or BillModel(rows))
    case = make_cases(log)[0]
    list(replay_cases([case], bills_before(log)))
    (rows,) = told
    assert case.sample not in {row.sample for row in rows}
    assert {row.task for row in rows} == {row.task for row in log}


@pytest.mark.parametrize("name", [THRIFTY_POLICY, "planned, risk 0.3", "cheapest", "mean bill"])
def test_no_choice_depends_on_the_scores_to_be_found(log, name):
    sample = log[0].sample
    other = [replace(row, score=1 - row.score) if row.sample == sample else row for row in log]
    first, second = (_bills(rows, name) for rows in (log, other))
    assert first == second
    assert any(first)


def _bills(rows, name):
    """What the first case comes to at each budget: it tells which plan was chosen."""
    (found,) = replay_cases(make_cases(rows)[:1], bills_before(rows))
    return [result.spent_nano_usd for result in found[name]]


SHORT, LONG = ("deblur", "caption"), ("deblur", "caption", "translate")


def of_one_task(folder, first_bill):
    """Ten inputs on which every tool takes 100, and one whose first tool takes something else."""
    lines = [
        line(1, sample, tools, [first if i == 0 else 100 for i in range(len(tools))], score)
        for sample, first in [*((s, 100 + s) for s in range(10)), (10, first_bill)]
        for tools, score in ((SHORT, 0.5), (LONG, 0.9))
    ]
    rows = read_log(write(folder, lines))
    case = next(case for case in make_cases(rows) if case.sample == 10)
    return case, BillModel([row for row in rows if row.sample != 10])


def test_a_plan_that_its_bills_outgrow_goes_on_as_the_best_that_still_fits(tmp_path):
    case, known = of_one_task(tmp_path, first_bill=250)
    result = execute_stepwise(choose_likeliest, known, case, 400)
    assert (result.score, result.spent_nano_usd) == (0.5, 350)
    assert execute_stepwise(choose_always(case.candidates[1]), known, case, 400).is_cut


def test_a_run_that_is_cut_falls_back_on_what_was_finished_on_the_way(tmp_path):
    case, known = of_one_task(tmp_path, first_bill=104)
    tired = replace(case.candidates[1], bills_nano_usd=(104, 100, 300))
    case = replace(case, candidates=(case.candidates[0], tired))
    result = execute_stepwise(choose_always(tired), known, case, 400)
    assert (result.score, result.spent_nano_usd, result.is_cut) == (0.5, 400, True)


def test_a_plan_that_keeps_to_its_forecast_is_finished(tmp_path):
    case, known = of_one_task(tmp_path, first_bill=104)
    assert execute_stepwise(choose_likeliest, known, case, 400).score == 0.9


@pytest.mark.parametrize("budget", [150, 250, 350, 500])
def test_no_choice_depends_on_the_bills_to_come(tmp_path, budget):
    case, known = of_one_task(tmp_path, first_bill=104)
    dear = tuple(replace(r, bills_nano_usd=(9_999,) * len(r.tools)) for r in case.candidates)
    other = replace(case, candidates=dear)
    first, second = (choose_likeliest(PlanRun(c, known, budget)).plan for c in (case, other))
    assert first == second
    first, second = (choose_by_planner(known, c, budget, 0.3) for c in (case, other))
    assert (first and first.plan) == (second and second.plan)


def test_a_tool_that_does_not_fit_is_cut_at_the_budget_or_paid_in_full(tmp_path):
    case, known = of_one_task(tmp_path, first_bill=500)
    cut = execute_stepwise(choose_likeliest, known, case, 400)
    assert (cut.score, cut.spent_nano_usd, cut.is_cut, cut.is_over) == (0.0, 400, True, False)
    paid = execute_stepwise(choose_likeliest, known, case, 400, cuts=False)
    assert (paid.score, paid.spent_nano_usd, paid.is_cut, paid.is_over) == (0.0, 500, False, True)


def test_estimates_come_from_the_past(tmp_path):
    case, known = of_one_task(tmp_path, first_bill=5_000)
    short, long = (known.plan_option(row) for row in case.candidates)
    assert short.estimate.cost_nano_usd == pytest.approx(205, rel=0.02)
    assert long.estimate.cost_nano_usd == pytest.approx(305, rel=0.02)
    assert long.value > short.value
    assert fit_probability(short, 150) < 0.05 < 0.95 < fit_probability(short, 250)
    assert fit_probability(short, 0) == 0.0


def test_an_interval_is_over_tasks_not_over_cases():
    one, two = QueryTask("seq", 1), QueryTask("seq", 2)
    assert bootstrap_by_task([one] * 50, [0.0, 1.0] * 25) == (0.5, 0.5, 0.5)
    assert bootstrap_by_task([one] * 50 + [two] * 50, [0.0] * 50 + [1.0] * 50) == (0.5, 0.0, 1.0)


def test_tuning_sees_half_of_the_tasks_of_each_pool(log):
    tuned = tuning_tasks(log)
    assert sorted(task.pool for task in tuned) == ["nonseq", "seq"]
    assert tuned == tuning_tasks(log[::-1])


def test_learned_forecasts_put_most_plans_in_order(log):
    *_, mean, learned = forecast_table(make_cases(log), bills_before(log)).splitlines()
    for row in (mean, learned):
        deviation, in_order = row.split(" | ")[1:]
        assert 0.1 < float(deviation) < 0.6
        assert float(in_order.rstrip("% |")) > 80


def test_the_tables_have_every_policy_and_every_quantile(played):
    cases, results = played
    rows = overview_table(cases, results).splitlines()
    assert [row.split(" | ")[0] for row in rows[2:]] == [f"| {name}" for name in results[0]]
    assert len(comparison_table("all", cases, results).splitlines()) == len(QUANTILES) + 5


@pytest.mark.skipif(not BESIDE.exists(), reason="the real log is not beside the repository")
def test_the_baselines_of_the_real_log_are_those_that_are_named():
    """Figures of this log as somebody else took them, on more of its tasks: within two points."""
    cases = make_cases(read_log(BESIDE))
    at_median = [(case, case.budgets_nano_usd[MEDIAN]) for case in cases]
    scores = {
        policy: fmean(policy(*at).score for at in at_median)
        for policy in (run_oracle, run_cheapest)
    }
    assert scores[run_oracle] == pytest.approx(0.711, abs=0.02)
    assert scores[run_cheapest] == pytest.approx(0.683, abs=0.02)
    for place in range(QUANTILES.index(0.3), len(QUANTILES)):
        at = [(case, case.budgets_nano_usd[place]) for case in cases]
        assert 0.1 < fmean(best_by_forecast(mean_bill)(*a).is_over for a in at) < 0.22
        assert fmean(best_by_forecast(largest_bill)(*a).is_over for a in at) < 0.06

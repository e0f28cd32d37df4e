"""A few results that have passed are drawn for a rating, the same ones for the same seed."""

from thrifty import Spend
from thrifty.estimates.bill_record import BillRecord
from thrifty.estimates.history import BilledOption, BillHistory, hash_name
from thrifty.estimates.runs_to_rate import runs_to_rate
from thrifty.steering.forecast import ExecutorModel

SPEND = Spend(100)
RUNS = tuple(f"run {n}" for n in range(20))


def history(**about: object) -> BillHistory:
    records = tuple(
        BillRecord(hash_name(run), SPEND, 0.3, SPEND, SPEND, "S", "sums", "arithmetic", **about)
        for run in RUNS
    )
    return BillHistory({BilledOption("S (cheap)", ExecutorModel("llm", "cheap")): records})


def test_a_seed_draws_the_same_results_and_another_seed_others():
    drawn = runs_to_rate(history(passed=True), RUNS, 5)
    assert len(set(drawn)) == 5
    assert drawn == runs_to_rate(history(passed=True), reversed(RUNS), 5)
    assert drawn != runs_to_rate(history(passed=True), RUNS, 5, seed=1)


def test_what_failed_or_is_rated_or_was_never_judged_is_not_drawn():
    assert runs_to_rate(history(passed=False), RUNS) == ()
    assert runs_to_rate(history(passed=None), RUNS) == ()
    assert runs_to_rate(history(passed=True, rating=1.0), RUNS) == ()


def test_only_runs_that_are_named_are_drawn():
    assert {result.run_id for result in runs_to_rate(history(passed=True), RUNS[:2])} == {*RUNS[:2]}

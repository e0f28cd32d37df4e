"""`thrifty rate`: ratings reach the bills of the run that is named, and nothing else."""

import json

import pytest

from thrifty.cli.bill_history import open_bills, read_bills
from thrifty.estimates.history import NAMESPACE

BUDGET = ("--max-tokens", "2200", "--max-tool-calls", "2")


@pytest.fixture
def run(invoke):
    return json.loads(invoke("run", "Plan a party", *BUDGET, "--offline", "--json").stdout)["run"]


def records():
    return [record for every in read_bills().records.values() for record in every]


def test_a_step_is_rated(invoke, run):
    step = records()[0].step
    result = invoke("rate", run, f"{step}=0")
    assert result.exit_code == 0
    assert "Rated 1 result." in result.stderr
    assert {r.step: r.rating for r in records()}[step] == 0.0
    assert sum(r.rating is not None for r in records()) == 1


def test_one_unknown_name_and_nothing_is_rated(invoke, run):
    step = records()[0].step
    result = invoke("rate", run, f"{step}=1", "No such step=1")
    assert result.exit_code == 2
    assert "No such step" in result.stderr
    assert all(record.rating is None for record in records())


@pytest.mark.parametrize("rating", ["Answer", "Answer=2", "Answer=nan", "=1", "Answer=x"])
def test_what_is_no_rating_is_refused(invoke, run, rating):
    assert invoke("rate", run, rating).exit_code == 2
    assert all(record.rating is None for record in records())


def test_without_a_passed_check_nothing_is_listed(invoke, home):
    assert "No result that has passed a check" in invoke("rate").stdout


def test_what_has_passed_is_listed_until_it_is_rated(invoke, home, run):
    with open_bills(home) as store:
        item = store.search(NAMESPACE)[0]
        passed = [{**each, "check": "a check", "passed": True} for each in item.value["records"]]
        store.put(NAMESPACE, item.key, {**item.value, "records": passed}, index=False)
    (step,) = [record.step for record in records() if record.passed]
    assert invoke("rate").stdout == f"{run}  {step}  passed 'a check'\n"
    assert invoke("rate", run, f"{step}=1").exit_code == 0
    assert "No result that has passed a check" in invoke("rate").stdout

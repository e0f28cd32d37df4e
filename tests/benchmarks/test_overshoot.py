"""The overshoot benchmark on a small scale: our own cells, and figures that can be trusted."""

import sys
from pathlib import Path

import pytest

from benchmarks.overshoot.billing_provider import Charge
from benchmarks.overshoot.cell_figures import summarize
from benchmarks.overshoot.experiment import RunOutcome, run_many, start_system
from benchmarks.overshoot.vendors import vendor_cells
from benchmarks.overshoot.workload import (
    OUTPUT_TOKENS_MAX,
    Cell,
    answer_tokens,
    cost_nano_usd,
)
from tests.long_cases import long_but
from tests.models.vendors.cases import CASES

RUNS = 3
KINDS = [(callers, max_tokens) for callers in (1, 8) for max_tokens in (None, 1_000)]


@pytest.fixture(scope="module")
def thrifty():
    with start_system(Path(sys.executable), "thrifty_metered") as system:
        yield system


@pytest.mark.parametrize(("callers", "max_tokens"), long_but(KINDS, KINDS[-1]))
def test_no_run_is_over_and_the_ledger_is_the_bill(thrifty, callers, max_tokens):
    cell = Cell("0.02", callers, max_tokens)
    for outcome in run_many(thrifty, cell, RUNS):
        assert outcome.billed_nano_usd <= cell.cap_nano_usd
        assert outcome.reported_nano_usd == outcome.billed_nano_usd
        assert len(outcome.finishes) == len(outcome.charges), "a paid answer reached nobody"


@pytest.mark.parametrize("callers", [1, 8])
def test_what_is_left_would_not_pay_for_a_useful_answer(thrifty, callers):
    cell = Cell("0.02", callers, None)
    too_little = cost_nano_usd(520, cell.useful_tokens)
    for outcome in run_many(thrifty, cell, RUNS):
        assert cell.cap_nano_usd - outcome.billed_nano_usd < too_little
        assert all(charge.cap >= cell.useful_tokens for charge in outcome.charges)


VENDORS = [case.name for case in CASES if case.column != "OpenAI"]


@pytest.mark.parametrize("name", long_but(VENDORS, VENDORS[0]))
def test_a_row_of_any_vendor_is_never_over_and_uses_its_budget(name):
    (cell,) = [cell for cell in vendor_cells(callers=1) if cell.vendor == name]
    with start_system(Path(sys.executable), "thrifty_vendors") as system:
        (outcome,) = run_many(system, cell, 1)
    assert 0.95 * cell.cap_nano_usd <= outcome.billed_nano_usd <= cell.cap_nano_usd
    assert outcome.reported_nano_usd == outcome.billed_nano_usd


def charge(cost, written=100, cap=None, was_cut=False, began_s=0.0, ended_s=1.0):
    return Charge(cost, cap, written, was_cut, began_s, ended_s)


def test_figures_of_a_run_over_its_budget():
    paid = [charge(12_000_000), charge(18_000_000)]
    found = summarize([RunOutcome(Cell("0.02", 1, None), paid, ["stop"], 12_000_000)])
    assert (found.over, found.mean, found.worst) == (1.0, 1.5, 1.5)
    assert (found.useful, found.lost, found.books) == (1.0, 1.0, 0.0)


def test_figures_tell_who_cut_an_answer():
    own = charge(5_000_000, written=1_000, cap=1_000, was_cut=True)
    derived = charge(15_000_000, written=300, cap=300, was_cut=True)
    outcome = RunOutcome(Cell("0.02", 1, 1_000), [own, derived], ["length"] * 2, 20_000_000)
    found = summarize([outcome])
    assert (found.cut_by_agent, found.cut_by_system, found.spent_on_cut) == (1.0, 1.0, 0.75)
    assert (found.over, found.books, found.useful) == (0.0, 1.0, 0.0)


def test_figures_tell_how_many_calls_were_under_way():
    apart = [charge(1, began_s=0, ended_s=1), charge(1, began_s=5, ended_s=6)]
    beside = [charge(1, began_s=0, ended_s=2), charge(1, began_s=1, ended_s=3)]
    cell = Cell("0.02", 2, None)
    assert summarize([RunOutcome(cell, apart, [], 2)]).in_flight == 1.0
    assert summarize([RunOutcome(cell, beside, [], 2)]).in_flight == pytest.approx(4 / 3)


def test_every_system_gets_answers_of_the_same_lengths():
    lengths = [answer_tokens("run 1", number) for number in range(2_000)]
    assert lengths == [answer_tokens("run 1", number) for number in range(2_000)]
    assert lengths != [answer_tokens("run 2", number) for number in range(2_000)]
    assert sorted(lengths)[1_000] == pytest.approx(300, rel=0.1)
    assert all(1 <= length <= OUTPUT_TOKENS_MAX for length in lengths)

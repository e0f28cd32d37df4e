"""The contract of every ledger: a settled call is corrected by a person, and the books say so."""

import pytest

from tests.ledger.shorthand import CALL, USED, called
from thrifty.budget import Budget, InvalidInput, ReservationClosed, Spend
from thrifty.ledger.corrections import Correction
from thrifty.ledger.records import NOTE_KEYS

DEARER = Spend(tokens=300, cost_nano_usd=6_000, latency_ms=20, tool_calls=1)
CHEAPER = Spend(tokens=300, cost_nano_usd=60, latency_ms=20, tool_calls=1)
WHY = "the price was mistyped"


def settled(ledger, *keys):
    called(ledger, *keys)
    for key in keys:
        ledger.settle("run", key, USED, "an answer")


@pytest.mark.parametrize("actual", [DEARER, CHEAPER, Spend()])
def test_a_settled_call_is_charged_what_it_really_cost(ledger, actual):
    settled(ledger, "k", "other")
    entry = ledger.correct("run", "k", actual, WHY)
    assert (entry.status, entry.charged, entry.answer) == ("settled", actual, "an answer")
    assert ledger.entry("run", "k") == entry
    assert ledger.balance("run").spent == actual + USED
    assert entry in ledger.entries("run")  # which checks that they add up
    assert (entry in ledger.overruns("run")) == (actual == DEARER)


def test_what_was_charged_before_stays_in_the_books(ledger):
    settled(ledger, "k", "j")
    assert ledger.corrections("run") == ()
    for key, actual, why in (("k", DEARER, WHY), ("j", CHEAPER, "as k"), ("k", CHEAPER, "again")):
        ledger.correct("run", key, actual, why)
    made = ledger.corrections("run")
    assert [correction[:4] for correction in made] == [
        ("k", USED, DEARER, WHY),
        ("j", USED, CHEAPER, "as k"),
        ("k", DEARER, CHEAPER, "again"),
    ]
    assert isinstance(made[0], Correction)
    assert made[0].at_ms >= ledger.entry("run", "k").at_ms > 0
    notes = [entry for entry in ledger.entries("run") if entry.is_note]
    assert [note.charged for note in notes] == [Spend()] * 3
    assert ledger.balance("run").spent == CHEAPER + CHEAPER


def test_a_second_time_with_the_same_amount_changes_nothing(ledger):
    settled(ledger, "k")
    entry = ledger.correct("run", "k", DEARER, WHY)
    assert ledger.correct("run", "k", DEARER, "once more") == entry
    assert ledger.settle("run", "k", Spend(1)) == entry
    assert len(ledger.corrections("run")) == 1


def test_only_what_is_settled_is_corrected(ledger):
    settled(ledger, "k")
    called(ledger, "pending", "doubt", "freed")
    ledger.charge_in_full("run", "doubt")
    ledger.release("run", "freed")
    ledger.correct("run", "k", DEARER, WHY)
    (note,) = [entry.key for entry in ledger.entries("run") if entry.key.startswith(NOTE_KEYS)]
    for key in ("pending", "doubt", "freed", "nobody's", note):
        with pytest.raises(ReservationClosed):
            ledger.correct("run", key, USED, WHY)
    assert ledger.balance("run").spent == DEARER + CALL
    with pytest.raises(KeyError):
        ledger.correct("nobody", "k", USED, WHY)


@pytest.mark.parametrize("why", ["", "x" * 401, "a\0"])
def test_it_needs_a_reason(ledger, why):
    settled(ledger, "k")
    with pytest.raises(InvalidInput) as refusal:
        ledger.correct("run", "k", DEARER, why)
    assert refusal.value.field == "why"
    assert ledger.balance("run").spent == USED


def test_a_key_of_any_length_is_corrected(ledger):
    key = "k" * 400
    settled(ledger, key)
    ledger.correct("run", key, DEARER, WHY)
    assert ledger.corrections("run")[0].key == key


def test_it_takes_no_lease_and_works_in_a_closed_account_and_all_above(ledger):
    ledger.open("team", Budget(max_cost_usd=1))
    ledger.open("ann", Budget(max_cost_usd=1), parent="team")
    lease = ledger.take("ann", "somebody")
    ledger.reserve(lease, "k", "Outline", CALL)
    ledger.settle(lease, "k", USED)
    ledger.close("ann")
    ledger.correct("ann", "k", DEARER, WHY)
    assert ledger.balance("ann").spent == ledger.balance("team").spent == DEARER


def test_it_counts_in_the_window_in_which_it_was_booked(ledger, clock):
    ledger.open("run", "$5 a day")
    ledger.reserve("run", "k", "Outline", CALL)
    ledger.settle("run", "k", USED)
    clock.ms += 24 * 3_600_000
    ledger.correct("run", "k", DEARER, WHY)
    run, day = ledger.balance("run").periods
    assert (run.spent, day.spent) == (DEARER, Spend())


def test_what_passes_a_limit_leaves_no_room(ledger):
    ledger.open("run", Budget(max_tokens=600))
    ledger.reserve("run", "k", "Outline", CALL)
    ledger.settle("run", "k", USED)
    ledger.correct("run", "k", Spend(tokens=700), WHY)
    assert ledger.balance("run").left.max_tokens == 0

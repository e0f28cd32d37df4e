"""Of the calls that do one piece of work, a further one is made only where something was noted."""

import pytest

from thrifty import Budget, BudgetExceeded, Spend
from thrifty.ledger.latest_call import (
    allow_again,
    failure_of,
    find_latest_call,
    known_result,
    note_failure,
    note_happened,
    note_stop,
)
from thrifty.ledger.notes import Notes
from thrifty.ledger.records import Entry

WORST = Spend(100, 0, 0, 2)


@pytest.fixture
def notes(ledger):
    ledger.open("a", Budget(max_tokens=250))
    return Notes(ledger, "a", "Mail")


def find(notes, request=""):
    return find_latest_call("mail", WORST, request, notes)


def send(notes, request=""):
    call = find(notes, request)
    notes.ledger.mark_sent("a", call.entry.key)
    return call.entry


def test_a_note_costs_nothing_and_stands_as_it_was_first_written(notes):
    assert notes.read("n") is None
    notes.write("n", "text")
    notes.write("n", "other")
    assert notes.read("n") == "text"
    assert notes.ledger.balance("a").spent == notes.ledger.balance("a").reserved == Spend()
    (entry,) = notes.ledger.entries("a")
    assert entry.is_note


def test_what_is_done_once_is_found_whatever_is_asked(notes):
    entry = send(notes)
    assert find(notes).entry.key == entry.key == "mail.1"
    notes.ledger.settle("a", entry.key, Spend(5), "sent")
    assert find(notes).entry.answer == "sent"


def test_another_request_has_a_call_of_its_own(notes):
    send(notes, "one")
    assert find(notes, "two").entry.key == "mail.2"


def test_a_call_that_stopped_goes_on_with_what_is_left(notes):
    entry = send(notes)
    paid = Entry("k", "model", "settled", Spend(30), Spend(30), "tea", "digest")
    note_stop(entry, Spend(30, 0, 7, 1), [paid], notes)
    call = find(notes)
    assert (call.entry.key, call.entry.status) == ("mail.2", "unsent")
    assert call.entry.reserved == Spend(70, 0, 0, 1)
    assert [(each.label, each.fingerprint, each.answer) for each in call.paid] == [
        ("model", "digest", "tea")
    ]
    assert call.charged_before == Spend(30, 0, 7, 1)
    assert call.attempt == 1


def test_a_call_that_stopped_and_used_nothing_is_free(notes):
    note_stop(send(notes), Spend(0, 0, 9), [], notes)
    assert find(notes).entry.key == "mail.1"
    assert notes.ledger.balance("a").spent == Spend()


def test_a_person_lets_a_call_be_made_again(notes):
    entry = send(notes)
    notes.ledger.charge_in_full("a", entry.key)
    assert find(notes).entry.status == "in_doubt"
    allow_again(entry, "an answer", notes)
    call = find(notes)
    assert (call.entry.key, call.attempt, call.allowed_by) == ("mail.2", 2, ("an answer",))
    assert call.entry.reserved == WORST


def test_a_further_call_has_to_fit(notes):
    for number in (1, 2):
        entry = send(notes)
        assert entry.key == f"mail.{number}"
        notes.ledger.charge_in_full("a", entry.key)
        allow_again(entry, "", notes)
    with pytest.raises(BudgetExceeded):
        find(notes)


def test_what_is_known_of_a_call_is_noted(notes):
    entry = send(notes)
    assert failure_of(entry, notes) == known_result(entry, notes) == ""
    note_failure(entry, "it raised TimeoutError", notes)
    note_happened(entry, "Ann has it", notes)
    assert failure_of(entry, notes) == "it raised TimeoutError"
    assert known_result(entry, notes) == "Ann has it"

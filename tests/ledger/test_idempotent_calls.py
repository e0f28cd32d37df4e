"""Finding the entry of a piece of work again, and what is done when it cannot be booked."""

import logging

import pytest

from tests.ledger.shorthand import CALL, USED, called
from thrifty.budget import Budget, BudgetExceeded, LedgerUnavailable, ReservationClosed, Spend
from thrifty.ledger.idempotent_calls import (
    call_entries,
    call_key,
    charge_open_calls,
    find_or_reserve,
    fingerprint,
    release_call,
    settle_call,
)
from thrifty.ledger.memory import MemoryLedger
from thrifty.ledger.sqlite import SqliteLedger

BUDGET = Budget(max_tokens=1_000, max_cost_usd=1, max_tool_calls=9)


@pytest.fixture
def ledger():
    ledger = MemoryLedger()
    called(ledger)
    return ledger


class Full(MemoryLedger):
    """Its disk is full, as soon as it is said to be."""

    is_full = False

    def settle(self, *given, **named):
        self._check()
        return super().settle(*given, **named)

    def charge_in_full(self, account, key, latency_ms=0):
        if key == "b.1":
            self._check()
        return super().charge_in_full(account, key, latency_ms)

    def _check(self):
        if self.is_full:
            raise LedgerUnavailable("the disk is full")


def asked(ledger, request="ask", key="work", worst_case=CALL, **more):
    return find_or_reserve(ledger, "run", key, "Outline", worst_case, request, **more)


def test_a_fingerprint_is_the_same_for_the_same_parts_and_for_no_others():
    digest = "bcc92521f3d1e70ad75470068f8b0332d9d8e3a8e6fa9452a6b064d21fdc6335"
    assert fingerprint("a", 1) == digest  # in any process
    others = [fingerprint("a"), fingerprint("a1"), fingerprint(1, "a"), fingerprint("a", "1")]
    assert len({digest, *others}) == 5
    assert fingerprint("half \ud800") != fingerprint("half ?")


def test_calls_for_a_piece_of_work_are_numbered_from_one(ledger):
    assert call_key("work", 3) == "work.3"
    first, second = asked(ledger, "one"), asked(ledger, "two")
    assert (first.key, second.key) == ("work.1", "work.2")
    assert list(call_entries(ledger, "run", "work")) == [first, second]
    assert list(call_entries(ledger, "run", "other")) == []


def test_a_new_request_is_reserved_and_not_yet_sent(ledger):
    entry = asked(ledger)
    assert (entry.status, entry.label, entry.reserved) == ("unsent", "Outline", CALL)
    assert entry.fingerprint == "ask"
    assert ledger.balance("run").reserved == CALL


def test_the_same_request_finds_its_entry_again(ledger):
    asked(ledger, "one")
    two = asked(ledger, "two")
    settle_call(ledger, "run", two, USED, "an answer")
    again = asked(ledger, "two", worst_case=Spend(1))
    assert (again.key, again.status, again.answer) == ("work.2", "settled", "an answer")


def test_one_can_go_on_after_a_call_that_came_to_nothing(ledger):
    first = asked(ledger)
    ledger.mark_sent("run", first.key)
    ledger.charge_in_full("run", first.key)
    assert asked(ledger).status == "in_doubt"
    second = asked(ledger, after=first)
    assert (second.key, second.status) == ("work.2", "unsent")
    assert asked(ledger, after=second).key == "work.3"
    nested = asked(ledger, key="a.b", after=asked(ledger, key="a.b"))
    assert nested.key == "a.b.2"


def test_what_does_not_fit_is_refused(ledger):
    with pytest.raises(BudgetExceeded, match="Outline does not fit"):
        asked(ledger, worst_case=Spend(10_001))
    assert ledger.entries("run") == ()


def test_an_answer_is_booked_with_its_call(ledger):
    entry = settle_call(ledger, "run", asked(ledger), USED, "an answer")
    assert (entry.status, entry.charged, entry.answer) == ("settled", USED, "an answer")
    assert ledger.entries("run") == (entry,)


def test_an_answer_that_cannot_be_booked_leaves_its_reservation(caplog):
    """It is kept for the run, and said in the log."""
    ledger = Full()
    called(ledger)
    entry = asked(ledger)
    ledger.mark_sent("run", entry.key)
    ledger.is_full = True
    with caplog.at_level(logging.ERROR):
        kept = settle_call(ledger, "run", entry, USED, "an answer")
    assert (kept.key, kept.status, kept.reserved) == (entry.key, "pending", CALL)
    assert ledger.balance("run").reserved == CALL
    (record,) = caplog.records
    told = "'Outline' stays reserved until the ledger can be written: the disk is full"
    assert (record.levelname, record.getMessage()) == ("ERROR", told)


def test_a_late_answer_settles_what_others_have_given_up():
    """As when a run stood still, was taken for gone, and has its answer after all."""
    ledger = MemoryLedger()
    ledger.open("run", BUDGET)
    lease = ledger.take("run", "ann")
    entry = find_or_reserve(ledger, lease, "work", "Outline", CALL, "ask")
    ledger.mark_sent(lease, entry.key)
    ledger.take("run", "bob", over_fence=lease.fence)
    assert ledger.balance("run").spent == CALL
    kept = settle_call(ledger, lease, entry, USED, "an answer")
    assert (kept.status, kept.charged, kept.answer) == ("settled", USED, "an answer")
    assert ledger.balance("run").spent == USED


def test_what_others_have_given_up_stays_charged_where_it_was_not_billed(ledger, caplog):
    entry = asked(ledger)
    ledger.mark_sent("run", entry.key)
    ledger.charge_in_full("run", entry.key)
    kept = release_call(ledger, "run", entry)
    assert (kept.status, kept.charged) == ("in_doubt", CALL)
    assert f"{entry.label!r} was given up while it was under way" in caplog.text


def test_a_call_that_was_never_open_is_an_error(ledger):
    entry = asked(ledger)
    assert release_call(ledger, "run", entry).status == "released"
    with pytest.raises(ReservationClosed, match=f"{entry.key}.*released"):
        settle_call(ledger, "run", entry, USED, "an answer")
    with pytest.raises(ReservationClosed, match=r"another.*unknown"):
        settle_call(ledger, "run", entry._replace(key="another"), USED, "an answer")


def test_at_the_end_of_a_run_what_is_open_is_charged_in_full(ledger):
    for key in ("sent", "unsent", "settled"):
        entry = asked(ledger, key=key)
        if key != "unsent":
            ledger.mark_sent("run", entry.key)
    ledger.settle("run", "settled.1", USED)
    assert charge_open_calls(ledger, "run") == Spend()
    statuses = {entry.key: entry.status for entry in ledger.entries("run")}
    assert statuses == {"sent.1": "in_doubt", "unsent.1": "unsent", "settled.1": "settled"}
    assert ledger.balance("run").spent == CALL + USED


def test_what_cannot_be_charged_at_the_end_is_told(caplog):
    ledger = Full()
    ledger.open("run", Budget())
    for key, worst_case in (("a", Spend(1)), ("b", Spend(20)), ("c", Spend(300)), ("d", CALL)):
        entry = asked(ledger, key=key, worst_case=worst_case)
        if key != "d":
            ledger.mark_sent("run", entry.key)
    ledger.is_full = True
    with caplog.at_level(logging.ERROR):
        assert charge_open_calls(ledger, "run") == Spend(320)
    assert ledger.balance("run").spent == Spend(1)
    (record,) = caplog.records
    told = "what a run left open stays reserved in full: the disk is full"
    assert (record.levelname, record.getMessage()) == ("ERROR", told)


def test_a_call_that_finds_its_reservation_counts_it_under_its_tags(tmp_path):
    """As a run reserves for a step before it is known what will be asked for it."""
    file = tmp_path / "ledger.sqlite"
    ledger = SqliteLedger(file)
    ledger.open("run", Budget())
    ledger.reserve("run", "step.1", "a step", CALL, unsent=True)

    def ask(request, model):
        named = ledger, "run", "step", "a step", CALL
        return find_or_reserve(*named, request, tags={"model": model}).tags

    assert ask("a request", "gpt-5") == (("model", "gpt-5"),)
    assert ask("a request", "gpt-5-mini") == (("model", "gpt-5"),)  # it is counted already
    assert ask("another request", "gpt-5-mini") == (("model", "gpt-5-mini"),)
    ledger.disconnect()
    written = [entry.tags for entry in SqliteLedger(file).entries("run")]
    assert written == [(("model", "gpt-5"),), (("model", "gpt-5-mini"),)]

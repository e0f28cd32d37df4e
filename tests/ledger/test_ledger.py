"""Promise 2, nothing lost and nothing twice, and promise 1, never over, at the ledger itself."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from thrifty import Budget, BudgetExceeded, MemoryLedger, Spend
from thrifty.budget import ReservationClosed, total

TEN_CALLS = Budget(max_tokens=100, max_tool_calls=10)


@pytest.fixture
def ledger() -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.open("run", TEN_CALLS)
    return ledger


def test_reserving_twice_under_one_key_is_the_same_reservation(ledger):
    first = ledger.reserve("run", "k", "step", Spend(60))
    assert ledger.reserve("run", "k", "step", Spend(60)) == first
    assert ledger.balance("run").reserved == Spend(60)


def test_settling_twice_is_the_same_settlement(ledger):
    ledger.reserve("run", "k", "step", Spend(60))
    first = ledger.settle("run", "k", Spend(20), "answer")
    assert ledger.settle("run", "k", Spend(50), "other") == first
    assert ledger.balance("run").spent == Spend(20)


def test_what_does_not_fit_beside_reservations_is_refused_and_says_by_how_much(ledger):
    ledger.reserve("run", "a", "step", Spend(60))
    with pytest.raises(BudgetExceeded, match="step does not fit: 20 tokens short") as refused:
        ledger.reserve("run", "b", "step", Spend(60))
    assert refused.value.missing == {"tokens": 20}
    assert [entry.key for entry in ledger.entries("run")] == ["a"]


def test_all_resources_or_none(ledger):
    with pytest.raises(BudgetExceeded, match="1 call short"):
        ledger.reserve("run", "a", "step", Spend(1, 0, 0, 11))
    assert ledger.balance("run").reserved == Spend()


def test_an_unknown_cost_is_charged_in_full(ledger):
    ledger.reserve("run", "k", "step", Spend(60, 0, 0, 1))
    entry = ledger.charge_in_full("run", "k", latency_ms=70)
    assert (entry.status, entry.charged) == ("in_doubt", Spend(60, 0, 70, 1))


def test_what_was_never_billed_is_freed(ledger):
    ledger.reserve("run", "k", "step", Spend(60))
    ledger.release("run", "k")
    assert ledger.balance("run").left == TEN_CALLS


def test_more_than_was_reserved_is_recorded_as_an_overrun(ledger):
    ledger.reserve("run", "k", "step", Spend(60))
    assert ledger.settle("run", "k", Spend(160)).is_overrun
    assert ledger.balance("run").spent == Spend(160)
    assert ledger.balance("run").left.max_tokens == 0


def test_a_closed_reservation_stays_as_it_is(ledger):
    ledger.reserve("run", "k", "step", Spend(60))
    ledger.release("run", "k")
    with pytest.raises(ReservationClosed, match="'k' is released"):
        ledger.settle("run", "k", Spend(1))
    with pytest.raises(ReservationClosed, match="'other' is unknown"):
        ledger.settle("run", "other", Spend(1))


def test_a_limit_lowered_below_what_is_spent_stops_new_calls_and_keeps_what_is_paid(ledger):
    ledger.reserve("run", "k", "step", Spend(60))
    ledger.settle("run", "k", Spend(60))
    assert ledger.open("run", Budget(max_tokens=50)).spent == Spend(60)
    with pytest.raises(BudgetExceeded):
        ledger.reserve("run", "l", "step", Spend(1))
    ledger.open("run", Budget(max_tokens=70))
    ledger.reserve("run", "l", "step", Spend(10))


def test_many_threads_never_overdraw(ledger):
    def spend(number: int) -> bool:
        try:
            ledger.reserve("run", str(number), "step", Spend(3, 0, 0, 0))
        except BudgetExceeded:
            return False
        ledger.settle("run", str(number), Spend(2))
        return True

    with ThreadPoolExecutor(16) as pool:
        done = sum(pool.map(spend, range(500)))
    assert ledger.balance("run").spent == Spend(2 * done)
    assert 97 < 2 * done <= 100


class LedgerMachine(RuleBasedStateMachine):
    """Any order of operations keeps the invariants."""

    keys = st.sampled_from("abcdef")
    amounts = st.builds(Spend, st.integers(0, 60), tool_calls=st.integers(0, 3))

    def __init__(self) -> None:
        super().__init__()
        self.ledger = MemoryLedger()
        self.ledger.open("run", TEN_CALLS)
        self.committed = 0

    @rule(key=keys, amount=amounts)
    def reserve(self, key, amount):
        known = {entry.key for entry in self.ledger.entries("run")}
        left = self.ledger.balance("run").left
        try:
            self.ledger.reserve("run", key, "step", amount)
        except BudgetExceeded:
            assert key not in known
            assert not amount.within(left)

    @rule(key=keys, share=st.integers(0, 100))
    def settle(self, key, share):
        entry = next((e for e in self.ledger.entries("run") if e.key == key), None)
        tokens = entry.reserved.tokens * share // 100 if entry else 0
        try:
            self.ledger.settle("run", key, Spend(tokens))
        except ReservationClosed:
            assert entry is None or entry.status in ("released", "in_doubt")

    @rule(key=keys, close=st.sampled_from(["release", "charge_in_full"]))
    def close(self, key, close):
        with suppress(ReservationClosed):
            getattr(self.ledger, close)("run", key)

    @invariant()
    def is_within_and_adds_up(self):
        balance = self.ledger.balance("run")
        entries = self.ledger.entries("run")
        assert (balance.spent + balance.reserved).within(TEN_CALLS)
        assert balance.spent == total(e.charged for e in entries)
        assert balance.reserved == total(e.reserved for e in entries if e.status == "pending")
        assert balance.spent.tokens >= self.committed, "committed spend never falls"
        self.committed = balance.spent.tokens


LedgerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestLedgerMachine = LedgerMachine.TestCase

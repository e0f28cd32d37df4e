"""The contract of every ledger: what becomes of a call's reservation."""

import pytest

from tests.ledger.shorthand import CALL, USED, called, left
from thrifty.budget import (
    Budget,
    BudgetExceeded,
    InvalidInput,
    KeyReused,
    ReservationClosed,
    Spend,
)

HARMLESS_NAMES = ["Größe", "数字", "👨‍👩‍👧", "a\nb", "a'b\"; DROP TABLE x; --", "%s ? $1 {0}", " "]
HOSTILE_NAMES = ["", "\0", "a\0b", "\x1b[2J", "\ud800", "x" * 401, "\u202egnp.exe"]
HOSTILE_TEXTS = ["", "\0", "\ud800 half", "x" * 1_000_000, "\x1b]0;\x07", "[/]", "'; DROP TABLE"]


def test_a_reservation_takes_its_worst_case(ledger):
    """From the moment it is made, what it may cost is no longer there for others."""
    ledger.open("run", Budget(max_tokens=1000, max_tool_calls=3))
    entry = ledger.reserve("run", "k", "Outline", CALL)
    assert (entry.status, entry.reserved, entry.label) == ("pending", CALL, "Outline")
    assert ledger.balance("run").reserved == CALL
    assert left(ledger, "run") == (1000 - CALL.tokens, None, 2)


def test_what_does_not_fit_is_refused_and_leaves_no_trace(ledger):
    """All resources or none: one that is short refuses the call, and says by how much."""
    ledger.open("run", Budget(max_tokens=1000, max_cost_usd=1, max_tool_calls=0))
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.reserve("run", "k", "Outline", Spend(1100, 5, 7, 1))
    assert refusal.value.missing == {"tokens": 100, "tool_calls": 1}
    assert ledger.balance("run").reserved == Spend()
    assert ledger.entries("run") == ()


def test_a_budget_can_be_used_to_the_last_unit(ledger):
    """Reaching a limit is within it; one more is not."""
    ledger.open("run", Budget(max_tokens=100))
    ledger.reserve("run", "a", "a", Spend(60))
    ledger.reserve("run", "b", "b", Spend(40))
    with pytest.raises(BudgetExceeded):
        ledger.reserve("run", "c", "c", Spend(1))


def test_one_entry_can_be_looked_up(ledger):
    """By its key, in its own account, and without a lease."""
    ledger.open("run", Budget(max_tokens=1000))
    ledger.open("other", Budget(max_tokens=1000))
    entry = ledger.reserve("run", "k", "Outline", CALL)
    assert ledger.entry("run", "k") == entry
    assert ledger.entry("run", "l") is None
    assert ledger.entry("other", "k") is None
    with pytest.raises(KeyError):
        ledger.entry("nobody", "k")


def test_overruns_are_found_without_reading_every_entry(ledger):
    """Charged more than was reserved of anything but time; reaching it is none."""
    ledger.open("run", Budget(max_tokens=10_000))
    actual = {
        "reached": CALL,
        "late": Spend(latency_ms=CALL.latency_ms + 1),
        "tokens": Spend(CALL.tokens + 1),
        "money": Spend(cost_nano_usd=CALL.cost_nano_usd + 1),
        "calls": Spend(tool_calls=CALL.tool_calls + 1),
    }
    for key, spend in actual.items():
        ledger.reserve("run", key, key, CALL)
        ledger.settle("run", key, spend)
    overruns = ledger.overruns("run")
    assert [entry.key for entry in overruns] == ["tokens", "money", "calls"]
    assert overruns == tuple(entry for entry in ledger.entries("run") if entry.is_overrun)
    with pytest.raises(KeyError):
        ledger.overruns("nobody")


def test_latency_is_recorded_and_not_limited(ledger):
    """Calls run side by side, so that their times do not add up to the run's."""
    ledger.open("run", Budget(max_latency_ms=10))
    ledger.reserve("run", "k", "Outline", Spend(latency_ms=50))
    ledger.settle("run", "k", Spend(latency_ms=70))
    assert ledger.balance("run").spent.latency_ms == 70
    ledger.reserve("run", "l", "Outline", Spend(latency_ms=50))


def test_without_a_limit_nothing_is_used_up(ledger):
    """An account that limits days is used for years: a million dollars in all is no end of it.
    Only a single call costs no more than the largest amount."""
    ledger.open("org", {"day": Budget(max_tokens=10)})
    ledger.open("run", Budget(), parent="org")
    for number in range(5):
        ledger.reserve("run", f"k{number}", "Outline", Spend(1, 10**15, 10**15, 10**15))
    assert ledger.balance("run").reserved == Spend(5, 10**15, 10**15, 10**15)
    assert left(ledger, "run") == (5, None, None)
    for number in range(5):
        ledger.settle("run", f"k{number}", Spend(1, 10**15, 10**15, 10**15))
    assert len(ledger.entries("org", below=True)) == 5
    with pytest.raises(InvalidInput):
        Spend(10**15 + 1)


def test_reserving_twice_is_reserving_once(ledger):
    """The same key finds the same reservation, whatever worst case comes with it."""
    ledger.open("run", Budget(max_tokens=1000))
    first = ledger.reserve("run", "k", "Outline", CALL)
    assert ledger.reserve("run", "k", "Outline", Spend(999)) == first
    assert ledger.balance("run").reserved == CALL


def test_settling_charges_the_actual_and_frees_the_rest(ledger):
    """What was used is spent, what was not can be reserved again."""
    called(ledger, "k")
    entry = ledger.settle("run", "k", USED, "an answer")
    assert (entry.status, entry.charged, entry.answer) == ("settled", USED, "an answer")
    assert (ledger.balance("run").spent, ledger.balance("run").reserved) == (USED, Spend())


def test_a_call_may_have_no_answer_to_keep(ledger):
    """Then there is none."""
    called(ledger, "k")
    assert ledger.settle("run", "k", USED).answer == ""


def test_settling_twice_is_settling_once(ledger):
    """A repeated settlement changes nothing, even if it says something else."""
    called(ledger, "k")
    first = ledger.settle("run", "k", USED, "an answer")
    assert ledger.settle("run", "k", Spend(999), "another") == first
    assert ledger.balance("run").spent == USED


def test_a_settled_answer_is_found_under_its_key(ledger):
    """A resume reserves under the same key, and is handed what was paid for already."""
    called(ledger, "k")
    settled = ledger.settle("run", "k", USED, "an answer")
    assert ledger.reserve("run", "k", "Outline", CALL) == settled


def test_an_overrun_is_recorded_and_stops_new_calls(ledger):
    """A provider that takes more than it was allowed is charged truthfully."""
    ledger.open("run", Budget(max_tokens=100))
    ledger.reserve("run", "k", "Outline", Spend(100))
    assert ledger.settle("run", "k", Spend(130)).is_overrun
    assert ledger.balance("run").spent == Spend(130)
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.reserve("run", "l", "Polish", Spend())
    assert refusal.value.missing == {"tokens": 30}


def test_overruns_beyond_all_measure_are_survived(ledger):
    """The ledger stays readable whatever a hostile server claims that it used."""
    ledger.open("run", Budget())
    for key in ("a", "b", "c"):
        ledger.reserve("run", key, key, Spend())
    for key in ("a", "b", "c"):
        ledger.settle("run", key, Spend(10**15, 10**15, 10**15, 10**15))
    assert ledger.balance("run").spent == Spend(10**15, 10**15, 10**15, 10**15)
    assert len(ledger.entries("run")) == 3
    ledger.reserve("run", "d", "d", Spend(5, 5))
    assert ledger.balance("run").left == Budget()
    ledger.set_limits("run", Budget(max_tokens=10**15))
    assert left(ledger, "run") == (0, None, None)


def test_what_nobody_knows_is_charged_in_full(ledger):
    """A lost answer costs its whole reservation, and the time that is known."""
    called(ledger, "k")
    entry = ledger.charge_in_full("run", "k", latency_ms=40)
    assert (entry.status, entry.charged) == ("in_doubt", Spend(500, 900, 40, 1))
    assert ledger.charge_in_full("run", "k", latency_ms=50) == entry
    assert ledger.balance("run").spent == entry.charged


def test_a_doubt_is_lowered_by_a_late_answer(ledger):
    """Once: it is settled then, with its answer, as if it had come in time."""
    called(ledger, "k")
    ledger.charge_in_full("run", "k")
    entry = ledger.settle("run", "k", USED, "an answer")
    assert (entry.status, entry.charged, entry.answer) == ("settled", USED, "an answer")
    assert ledger.settle("run", "k", Spend(1)) == entry
    with pytest.raises(ReservationClosed):
        ledger.reconcile("run", "k", Spend(1))
    assert (ledger.balance("run").spent, ledger.balance("run").reserved) == (USED, Spend())


def test_a_doubt_is_lowered_by_a_reconciliation(ledger):
    """The provider's bill settles it, once. It cannot be released."""
    called(ledger, "k")
    ledger.charge_in_full("run", "k")
    with pytest.raises(ReservationClosed):
        ledger.release("run", "k")
    entry = ledger.reconcile("run", "k", USED)
    assert (entry.status, entry.charged) == ("settled", USED)
    assert ledger.reconcile("run", "k", USED) == entry
    with pytest.raises(ReservationClosed):
        ledger.reconcile("run", "k", Spend(1))
    with pytest.raises(ReservationClosed, match="nobody's"):
        ledger.reconcile("run", "nobody's", USED)
    assert ledger.balance("run").spent == USED


def test_releasing_frees_everything(ledger):
    """A call that was certainly not billed costs nothing; a second time changes nothing."""
    called(ledger, "k")
    assert ledger.release("run", "k").status == "released"
    assert ledger.release("run", "k").charged == Spend()
    assert (ledger.balance("run").spent, ledger.balance("run").reserved) == (Spend(), Spend())


def test_a_released_call_can_be_reserved_anew(ledger):
    """Nothing was billed under its key, so that a resume may use it for the same call."""
    called(ledger, "k")
    ledger.release("run", "k")
    assert ledger.reserve("run", "k", "Outline", Spend(7)).status == "pending"
    assert ledger.balance("run").reserved == Spend(7)
    ledger.settle("run", "k", Spend(6))
    assert ledger.balance("run").spent == Spend(6)
    assert len(ledger.entries("run")) == 1


def test_a_call_becomes_one_thing_only(ledger):
    """Settled, in doubt and released exclude each other; the error says what it has become."""
    called(ledger, "settled", "released")
    ledger.settle("run", "settled", USED)
    ledger.release("run", "released")
    for act in (ledger.charge_in_full, ledger.release, ledger.mark_sent):
        with pytest.raises(ReservationClosed, match="settled"):
            act("run", "settled")
    with pytest.raises(ReservationClosed, match="released"):
        ledger.settle("run", "released", USED)
    with pytest.raises(ReservationClosed, match="released"):
        ledger.charge_in_full("run", "released")


def test_a_call_that_was_never_reserved_cannot_be_closed(ledger):
    """Nothing is charged that was not reserved before."""
    ledger.open("run", Budget())
    for act in (ledger.charge_in_full, ledger.release, ledger.mark_sent):
        with pytest.raises(ReservationClosed, match="unknown"):
            act("run", "k")
    with pytest.raises(ReservationClosed, match="unknown"):
        ledger.settle("run", "k", USED)


def test_an_unsent_call_is_sent_by_one_only(ledger):
    """Of two that hold the same key, one may send; the other is told that it was sent."""
    ledger.open("run", Budget(max_tokens=1000))
    assert ledger.reserve("run", "k", "Outline", CALL, unsent=True).status == "unsent"
    assert ledger.mark_sent("run", "k").status == "pending"
    with pytest.raises(ReservationClosed, match="pending"):
        ledger.mark_sent("run", "k")
    assert ledger.balance("run").reserved == CALL


def test_an_unsent_call_can_be_closed_like_any_other(ledger):
    """Who finds out before sending that it is no use just releases it."""
    ledger.open("run", Budget(max_tokens=1000))
    ledger.reserve("run", "k", "Outline", CALL, unsent=True)
    assert ledger.release("run", "k").status == "released"
    ledger.reserve("run", "l", "Outline", CALL, unsent=True)
    assert ledger.settle("run", "l", USED).status == "settled"


def test_a_key_stands_for_one_request(ledger):
    """The same key with another request would hand one call's answer to another."""
    ledger.open("run", Budget(max_tokens=1000))
    ledger.reserve("run", "k", "Outline", CALL, fingerprint="sha256:aa")
    assert ledger.reserve("run", "k", "Outline", CALL, fingerprint="sha256:aa").key == "k"
    with pytest.raises(KeyReused):
        ledger.reserve("run", "k", "Outline", CALL, fingerprint="sha256:bb")
    ledger.settle("run", "k", USED, "an answer")
    with pytest.raises(KeyReused):
        ledger.reserve("run", "k", "Outline", CALL, fingerprint="sha256:bb")


def test_a_fingerprint_can_be_given_later(ledger):
    """Steps that start together are reserved before their requests are written."""
    ledger.open("run", Budget(max_tokens=1000))
    ledger.reserve("run", "k", "Outline", CALL)
    assert ledger.reserve("run", "k", "Outline", CALL, fingerprint="aa").fingerprint == "aa"
    assert ledger.reserve("run", "k", "Outline", CALL).fingerprint == "aa"
    with pytest.raises(KeyReused):
        ledger.reserve("run", "k", "Outline", CALL, fingerprint="bb")


def test_entries_come_in_the_order_of_their_reservation(ledger):
    """The bill reads like the run."""
    called(ledger, "c", "a", "b")
    ledger.settle("run", "a", USED)
    assert [entry.key for entry in ledger.entries("run")] == ["c", "a", "b"]


def test_accounts_do_not_touch_each_other(ledger):
    """The same key in two accounts is two calls."""
    called(ledger, "k")
    ledger.open("other", Budget(max_tokens=10))
    ledger.reserve("other", "k", "Outline", Spend(10))
    ledger.settle("run", "k", USED)
    assert ledger.balance("other").reserved == Spend(10)


def test_an_account_that_was_never_opened_is_a_key_error(ledger):
    """Nothing is spent from a budget that nobody has given."""
    with pytest.raises(KeyError):
        ledger.reserve("run", "k", "Outline", CALL)
    with pytest.raises(KeyError):
        ledger.balance("run")
    with pytest.raises(KeyError):
        ledger.entries("run")


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_any_readable_name_will_do(ledger, name):
    """Names are data: no letter, quote or mark of a query language means anything."""
    ledger.open(name, Budget())
    ledger.reserve(name, name, name, CALL, fingerprint=name)
    entry = ledger.settle(name, name, USED)
    assert ledger.entries(name) == (entry,)
    assert (entry.key, entry.label, entry.fingerprint, entry.run) == (name,) * 4


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_a_name_that_no_database_keeps_is_refused_before_the_call(ledger, name):
    """Better no call than one that is paid and then cannot be booked."""
    ledger.open("run", Budget())
    with pytest.raises(InvalidInput):
        ledger.open(name, Budget())
    with pytest.raises(InvalidInput):
        ledger.reserve("run", name, "Outline", CALL)
    with pytest.raises(InvalidInput):
        ledger.reserve("run", "k", name, CALL)
    with pytest.raises(InvalidInput):
        ledger.take("run", name)
    assert ledger.entries("run") == ()


def test_the_longest_names_fit_into_every_index(ledger):
    """Also when each character takes four bytes."""
    account, key = "\U0001f600" * 250, "".join(chr(0x1F300 + i) for i in range(400))
    ledger.open(account, Budget())
    assert ledger.reserve(account, key, "Outline", CALL).key == key


@pytest.mark.parametrize("answer", HOSTILE_TEXTS, ids=lambda text: ascii(text)[:20])
def test_any_answer_comes_back_as_it_was(ledger, answer):
    """It is paid for: nothing that a model can write may keep it from being booked."""
    called(ledger, "k")
    ledger.settle("run", "k", USED, answer)
    assert ledger.entries("run")[0].answer == answer

"""The contract of every ledger: a minute's limit holds for any sixty seconds, wherever they begin.

A calendar minute would admit twice its limit around its end. So would six windows of ten seconds:
100 at 9.9 s and 100 at 60.0 s lie in different ones of those, and within one minute.
"""

import random
from bisect import bisect_left
from itertools import accumulate

import pytest

from tests.ledger.shorthand import left, ms_of, refused, used
from thrifty.budget import BudgetExceeded, InvalidInput, Spend
from thrifty.ledger.memory import MemoryLedger

MINUTE_MS, BUCKET_MS, DAY_MS = 60_000, 10_000, 86_400_000
NOON_MS = ms_of("2027-06-01 12:00")


@pytest.fixture
def user(ledger, clock):
    """A user with 100 tokens a minute, at noon."""
    clock.ms = NOON_MS
    ledger.open("user", "100 tokens a minute")
    return ledger


def spend(ledger, tokens):
    key = f"k{len(ledger.entries('user'))}"
    ledger.reserve("user", key, "Outline", Spend(tokens))
    return ledger.settle("user", key, Spend(tokens))


def most_in_a_minute(calls):
    """The most that any sixty seconds hold of `(ms, tokens)`, by trying all that begin with a call.

    One that begins elsewhere holds no more than the one that begins with its first call.
    """
    calls = sorted(calls)
    times, sums = [at_ms for at_ms, _ in calls], [0, *accumulate(tokens for _, tokens in calls)]
    return max(
        sums[bisect_left(times, at_ms + MINUTE_MS)] - sums[number]
        for number, at_ms in enumerate(times)
    )


def test_what_is_counted_in_a_minute_is_found_by_brute_force():
    """The test's own sums: sixty seconds end before the next one."""
    assert most_in_a_minute([(9_900, 100), (60_000, 100)]) == 200
    assert most_in_a_minute([(0, 5), (59_999, 7), (60_000, 6), (500_000, 12)]) == 13


def test_a_call_at_the_end_of_ten_seconds_counts_for_sixty_more(user, clock):
    clock.ms = NOON_MS + 9_900
    spend(user, 100)
    for ms in (9_900, 10_000, 60_000, 69_899, 69_999):
        clock.ms = NOON_MS + ms
        assert refused(user, "user", 1) == ("user", "minute", 1)
        assert left(user, "user")[0] == 0
    clock.ms = NOON_MS + 70_000
    spend(user, 100)


def test_a_minute_counts_seven_windows_of_ten_seconds(user, clock):
    """The current one and the six before it; each is let go as a whole."""
    for number in range(7):
        clock.ms = NOON_MS + number * BUCKET_MS + 1_234
        spend(user, 10 + number)
    assert used(user, "user")["user", "minute"] == (91, 0)
    for number in range(7):
        clock.ms = NOON_MS + (number + 7) * BUCKET_MS
        gone = sum(10 + before for before in range(number + 1))
        assert used(user, "user")["user", "minute"] == (91 - gone, 0)
        assert left(user, "user")[0] == 9 + gone


def test_a_minute_resets_when_the_first_that_it_counts_is_let_go(user, clock):
    spend(user, 0)  # takes nothing, so there is nothing to wait for
    clock.ms = NOON_MS + 10_000
    spend(user, 60)
    clock.ms = NOON_MS + 25_000
    user.reserve("user", "open", "Outline", Spend(30))
    for ms, resets_ms in ((25_000, 80_000), (79_999, 80_000), (80_000, 90_000)):
        clock.ms = NOON_MS + ms
        (_, minute) = user.balance("user").periods
        assert minute.resets_at_ms == NOON_MS + resets_ms
        with pytest.raises(BudgetExceeded) as refusal:
            user.reserve("user", "k", "Outline", Spend(100))
        assert refusal.value.resets_at_ms == NOON_MS + resets_ms
    assert "it resets at 12:01:30 (UTC)" in str(refusal.value)


def test_an_open_call_counts_in_the_minute_of_its_reservation(user, clock):
    """However long it takes, and whatever it comes to cost."""
    user.reserve("user", "k", "Outline", Spend(100))
    clock.ms += 69_999
    assert refused(user, "user", 1) == ("user", "minute", 1)
    clock.ms += 1
    user.reserve("user", "l", "Outline", Spend(100))
    user.settle("user", "k", Spend(90))
    assert used(user, "user")["user", "minute"] == (0, 100)
    clock.ms -= 1
    assert used(user, "user")["user", "minute"] == (90, 100)


def test_what_is_released_is_free_at_once(user):
    user.reserve("user", "k", "Outline", Spend(100))
    user.release("user", "k")
    spend(user, 100)
    assert refused(user, "user", 1) == ("user", "minute", 1)


def test_a_minute_limits_calls_and_money_too(ledger, clock):
    ledger.open("user", "2 calls a minute, $0.000001 per minute")
    ledger.reserve("user", "k", "Outline", Spend(10**6, 300, 0, 2))
    for worst_case, missing in (
        (Spend(0, 0, 0, 1), {"tool_calls": 1}),
        (Spend(0, 701), {"cost": 1}),
    ):
        with pytest.raises(BudgetExceeded) as refusal:
            ledger.reserve("user", "l", "Outline", worst_case)
        assert (refusal.value.period, refusal.value.missing) == ("minute", missing)


def test_time_is_no_limit_of_a_minute(ledger):
    with pytest.raises(InvalidInput) as refusal:
        ledger.open("user", "100 tokens a minute, 3 s a minute")
    assert refusal.value.field == "limits.minute.max_latency_ms"


def test_a_new_limit_of_a_minute_counts_the_minute_before(ledger, clock):
    clock.ms = NOON_MS + 9_900
    ledger.open("user", {})
    spend(ledger, 100)
    clock.ms = NOON_MS + 69_999
    spend(ledger, 20)
    ledger.set_limits("user", "100 tokens a minute")
    assert refused(ledger, "user", 0) == ("user", "minute", 20)
    clock.ms = NOON_MS + 70_000
    assert used(ledger, "user")["user", "minute"] == (20, 0)
    spend(ledger, 80)


def test_a_limit_of_a_minute_above_counts_all_below(ledger, clock):
    clock.ms = NOON_MS
    ledger.open("team", "100 tokens a minute")
    for run in ("user", "other"):
        ledger.open(run, "90 tokens a minute", parent="team")
    spend(ledger, 60)
    assert refused(ledger, "other", 41) == ("team", "minute", 1)
    assert refused(ledger, "user", 41) == ("user", "minute", 11)
    clock.ms += 30_000
    ledger.reserve("other", "k", "Outline", Spend(40))
    clock.ms += 40_000
    assert used(ledger, "user") == {
        ("user", "run"): (60, 0),
        ("user", "minute"): (0, 0),
        ("team", "run"): (60, 40),
        ("team", "minute"): (0, 40),
    }


def test_a_clock_that_is_put_back_gives_no_minute_twice(user, clock):
    """What was booked later counts too: by what the clock showed, no sixty seconds hold more."""
    clock.ms = NOON_MS + 100_000
    spend(user, 70)
    for ms in (100_000, 60_000, 0, -3_600_000):
        clock.ms = NOON_MS + ms
        assert refused(user, "user", 31) == ("user", "minute", 1)
    spend(user, 30)
    for ms in (-3_600_000, 99_999, 169_999):
        clock.ms = NOON_MS + ms
        assert left(user, "user")[0] in (0, 30)
        assert refused(user, "user", 31)[:2] == ("user", "minute")
    clock.ms = NOON_MS + 170_000
    spend(user, 100)


def test_a_clock_that_was_a_year_ahead_costs_no_time(user, clock):
    """What was booked then counts until it has passed, and is found at once."""
    clock.ms = NOON_MS + 365 * DAY_MS
    spend(user, 40)
    clock.ms = NOON_MS
    for _ in range(20):
        spend(user, 3)
    assert refused(user, "user", 1) == ("user", "minute", 1)
    user.set_limits("user", "200 tokens a minute")
    assert left(user, "user")[0] == 100


def random_calls(ledger, clock, dice, steps, count):
    """Reserves and closes calls while the clock goes on as the steps say; what each has cost."""
    open_calls, refusals = [], 0
    for number in range(count):
        clock.ms += steps(dice)
        if open_calls and dice.random() < 0.4:
            key, reserved = open_calls.pop(dice.randrange(len(open_calls)))
            closing = dice.choice(["settle", "settle", "charge_in_full", "release"])
            actual = (Spend(dice.randrange(reserved + 1)),) if closing == "settle" else ()
            getattr(ledger, closing)("user", key, *actual)
        tokens = dice.choice([0, 1, 5, 20, 50, 100])
        try:
            ledger.reserve("user", f"k{number}", "Outline", Spend(tokens))
        except BudgetExceeded:
            refusals += 1
        else:
            open_calls.append((f"k{number}", tokens))
        if number % 7 == 0:
            assert most_in_a_minute(booked(ledger)) <= 100
    return refusals


def booked(ledger):
    """When each call was reserved, and what it has cost or may still cost."""
    return [
        (entry.at_ms, (entry.reserved if entry.is_open else entry.charged).tokens)
        for entry in ledger.entries("user")
    ] or [(0, 0)]


def through_a_day(dice):
    """Bursts, with pauses between them that make a day of 2,000 calls."""
    return dice.choice([0, 1, 100, 900, 2_500, 9_900, 10_000, 15_000, 60_000, 280_000])


def back_and_forth(dice):
    step = through_a_day(dice)
    return -dice.choice([step, 2 * step, 5_000, 50_000]) if dice.random() < 0.3 else step


@pytest.mark.parametrize("steps", [through_a_day, back_and_forth])
def test_no_minute_of_a_simulated_day_has_more_than_its_limit(user, clock, steps):
    """Whatever is open, closed, released or charged in full, at every moment of the day."""
    count = 2_000 if isinstance(user, MemoryLedger) else 250
    refusals = random_calls(user, clock, random.Random(22), steps, count)
    assert count // 10 < refusals < count
    if steps is through_a_day and count == 2_000:
        assert clock.ms - NOON_MS > 0.7 * DAY_MS
    total = sum(tokens for _, tokens in booked(user))
    assert total > 2 * count

"""The contract of every ledger: limits of an hour, a day and a month, each in its windows."""

import pytest

from tests.ledger.shorthand import left, ms_of, refused, used
from thrifty.budget import Budget, BudgetExceeded, Spend

HOUR_MS = 3_600_000
BERLIN = "Europe/Berlin"
ACTUAL = Spend(70)
CLOSINGS = {
    "settle": (lambda ledger, key: ledger.settle("user", key, ACTUAL), 70),
    "overrun": (lambda ledger, key: ledger.settle("user", key, Spend(900)), 900),
    "release": (lambda ledger, key: ledger.release("user", key), 0),
    "charge in full": (lambda ledger, key: ledger.charge_in_full("user", key), 100),
    "reconcile": (
        lambda ledger, key: (
            ledger.charge_in_full("user", key) and ledger.reconcile("user", key, ACTUAL)
        ),
        70,
    ),
    "late answer": (
        lambda ledger, key: (
            ledger.charge_in_full("user", key) and ledger.settle("user", key, ACTUAL)
        ),
        70,
    ),
}


def spend(ledger, account, key, tokens):
    ledger.reserve(account, key, "Outline", Spend(tokens))
    return ledger.settle(account, key, Spend(tokens))


def resets(ledger, account):
    return {(e.account, e.period): e.resets_at_ms for e in ledger.balance(account).periods}


def resets_of_refusal(ledger, account, tokens):
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.reserve(account, "refused", "Outline", Spend(tokens))
    return refusal.value.resets_at_ms


@pytest.fixture
def tree(ledger, clock):
    """A user of a team of an organisation, five seconds before midnight of the last of May."""
    clock.ms = ms_of("2027-05-31 23:59:55")
    every = {period: Budget(max_tokens=1_000) for period in ("run", "hour", "day", "month")}
    ledger.open("org", {"month": Budget(max_tokens=5_000)})
    ledger.open("team", {"day": Budget(max_tokens=2_000)}, parent="org")
    ledger.open("user", every, parent="team")
    ledger.open("elsewhere", every)
    return ledger


def path_of(amounts):
    """The same tokens, spent and reserved, in all places that count the user's calls."""
    places = [*(("user", period) for period in ("run", "hour", "day", "month"))]
    above = [("team", "run"), ("team", "day"), ("org", "run"), ("org", "month")]
    return dict.fromkeys((*places, *above), amounts)


def now_of(amounts):
    """The same of tokens that were booked in other windows than those of now."""
    runs = (("user", "run"), ("team", "run"), ("org", "run"))
    return path_of((0, 0)) | dict.fromkeys(runs, amounts)


@pytest.mark.parametrize("closing", CLOSINGS)
def test_a_call_over_midnight_belongs_to_the_day_of_its_reservation(tree, clock, closing):
    """Wholly, and to the old hour and month too. The new ones know nothing of it."""
    close, charged = CLOSINGS[closing]
    before_ms = clock.ms
    tree.reserve("user", "k", "Outline", Spend(100))
    clock.ms = ms_of("2027-06-01 00:00:03")
    assert used(tree, "user") == now_of((0, 100))
    close(tree, "k")
    assert used(tree, "user") == now_of((charged, 0))
    clock.ms = before_ms
    assert used(tree, "user") == path_of((charged, 0))


def lower(ledger, _):
    for account in ("user", "team", "org"):
        ledger.set_limits(account, {"run": "1 token", "day": "1 token", "month": "1 token"})


CHANGES = {
    "limits": lower,
    "parent": lambda ledger, _: ledger.move("user", "elsewhere"),
    "its parent's parent": lambda ledger, _: ledger.move("team", "elsewhere"),
    "closed": lambda ledger, _: ledger.close("org"),
    "zones": lambda ledger, _: [
        ledger.set_limits(a, {"run": None, "day": "9 tokens"}, zone="Asia/Tokyo")
        for a in ("user", "team")
    ],
    "no periods": lambda ledger, _: [
        ledger.set_limits(account, Budget()) for account in ("user", "team", "org")
    ],
    "everything": lambda ledger, clock: [
        CHANGES[change](ledger, clock) for change in ("limits", "parent", "zones", "no periods")
    ],
}


@pytest.mark.parametrize("closing", CLOSINGS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_call_is_closed_in_the_counters_of_its_reservation(tree, clock, change, closing):
    """Whatever was changed since: seen once everything is as it was before."""
    close, charged = CLOSINGS[closing]
    before_ms, before = clock.ms, tree.accounts()
    tree.reserve("user", "k", "Outline", Spend(100))
    tree.reserve("user", "open", "Outline", Spend(10))
    clock.ms += HOUR_MS
    CHANGES[change](tree, clock)
    close(tree, "k")
    assert used(tree, "elsewhere") == {
        ("elsewhere", period): (0, 0) for period in ("run", "hour", "day", "month")
    }
    clock.ms = before_ms
    for account in before:
        tree.move(account.name, account.parent or None)
        if not tree.balance(account.name).is_closed:
            tree.set_limits(account.name, account.limits, zone=account.zone)
    assert used(tree, "user") == path_of((charged, 10))
    close_again = tree.settle("user", "open", Spend(5))
    assert close_again.status == "settled"
    assert used(tree, "user") == path_of((charged + 5, 0))


@pytest.mark.parametrize(
    ("period", "zone", "now", "ends"),
    [
        ("hour", "UTC", "2027-05-31 23:59:55", "2027-06-01 00:00"),
        ("hour", BERLIN, "2027-05-31 23:00", "2027-06-01 00:00"),
        ("day", "UTC", "2027-05-31 00:00", "2027-06-01 00:00"),
        ("day", "Asia/Tokyo", "2027-05-31 23:59:55", "2027-06-01 00:00"),
        ("day", BERLIN, "2027-03-28 00:00", "2027-03-29 00:00"),  # 23 hours long
        ("day", BERLIN, "2027-10-31 23:59:59", "2027-11-01 00:00"),  # 25 hours long
        ("month", "UTC", "2027-12-31 23:59:59", "2028-01-01 00:00"),
        ("month", "America/New_York", "2028-02-01 00:00", "2028-03-01 00:00"),
        ("month", BERLIN, "2027-10-01 00:00", "2027-11-01 00:00"),
    ],
)
def test_a_window_ends_when_the_clocks_of_its_zone_say_so(ledger, clock, period, zone, now, ends):
    """Then, and not a millisecond before, there is all of the limit again."""
    clock.ms, ends_ms = ms_of(now, zone), ms_of(ends, zone)
    ledger.open("user", {period: Budget(max_tokens=100)}, zone=zone)
    spend(ledger, "user", "k", 60)
    assert resets(ledger, "user")["user", period] == ends_ms
    assert resets_of_refusal(ledger, "user", 41) == ends_ms
    clock.ms = ends_ms - 1
    assert refused(ledger, "user", 41) == ("user", period, 1)
    assert left(ledger, "user")[0] == 40
    clock.ms = ends_ms
    assert left(ledger, "user")[0] == 100
    spend(ledger, "user", "l", 100)
    assert refused(ledger, "user", 1) == ("user", period, 1)
    assert used(ledger, "user") == {("user", "run"): (160, 0), ("user", period): (100, 0)}


def test_a_day_of_daylight_saving_has_23_or_25_hours(ledger, clock):
    """As many as the clocks on the wall show."""
    for day, hours in (("2027-03-28", 23), ("2027-06-01", 24), ("2027-10-31", 25)):
        ledger.open(day, {"day": Budget(max_tokens=100)}, zone=BERLIN)
        starts_ms = ms_of(f"{day} 00:00", BERLIN)
        for hour in range(hours):
            clock.ms = starts_ms + hour * HOUR_MS
            spend(ledger, day, f"k{hour}", 4)
        assert used(ledger, day)[day, "day"] == (4 * hours, 0)
        clock.ms = starts_ms + hours * HOUR_MS
        assert used(ledger, day)[day, "day"] == (0, 0)


def test_each_account_counts_days_in_its_own_zone(ledger, clock):
    ledger.open("team", {"day": Budget(max_tokens=100)}, zone="Asia/Tokyo")
    ledger.open("user", {"day": Budget(max_tokens=90)}, parent="team", zone="America/New_York")
    clock.ms = ms_of("2027-06-01 23:30", "Asia/Tokyo")  # 10:30 in New York
    spend(ledger, "user", "k", 80)
    clock.ms += HOUR_MS
    assert refused(ledger, "user", 11) == ("user", "day", 1)
    spend(ledger, "user", "l", 10)
    clock.ms = ms_of("2027-06-02 00:00", "America/New_York")
    assert refused(ledger, "user", 91) == ("user", "day", 1)
    spend(ledger, "user", "m", 90)
    assert used(ledger, "user")["team", "day"] == (100, 0)


def test_every_period_of_the_path_can_refuse(ledger, clock):
    """The error names the one that does: from the account up, and the shorter period first."""
    tokens = {"run": 500, "minute": 100, "hour": 200, "day": 300, "month": 400}
    ledger.open("team", {period: Budget(max_tokens=limit) for period, limit in tokens.items()})
    ledger.open("user", Budget(), parent="team")
    steps = [
        ("2027-06-15 12:30:20", "minute", "2027-06-15 12:31:30"),
        ("2027-06-15 12:32:00", "hour", "2027-06-15 13:00:00"),
        ("2027-06-15 13:01:00", "day", "2027-06-16 00:00:00"),
        ("2027-06-16 12:00:00", "month", "2027-07-01 00:00:00"),
        ("2027-07-01 12:00:00", "run", None),
    ]
    for now, period, resets_at in steps:
        clock.ms = ms_of(now)
        spend(ledger, "user", now, 100)
        clock.ms += 0 if period == "minute" else 80_000
        assert refused(ledger, "user", 1) == ("team", period, 1)
        assert resets_of_refusal(ledger, "user", 1) == (resets_at and ms_of(resets_at))


def test_a_new_period_counts_what_was_booked_in_its_window_before(ledger, clock):
    """Whoever opens a day at noon limits what was spent since midnight, too."""
    clock.ms = ms_of("2027-06-01 23:59:59")
    ledger.open("team", Budget())
    ledger.open("user", Budget(), parent="team")
    spend(ledger, "user", "yesterday", 1_000)
    clock.ms = ms_of("2027-06-02 00:00")
    spend(ledger, "user", "settled", 10)
    ledger.reserve("user", "open", "Outline", Spend(20))
    ledger.reserve("user", "doubt", "Outline", Spend(40))
    ledger.charge_in_full("user", "doubt")
    ledger.reserve("user", "released", "Outline", Spend(80))
    ledger.release("user", "released")
    clock.ms = ms_of("2027-06-02 12:00")
    spend(ledger, "team", "own", 5)
    for account, own in (("team", 5), ("user", 0)):
        limits = {"day": Budget(max_tokens=100), "hour": Budget(max_tokens=70)}
        ledger.set_limits(account, {**limits, "month": Budget(max_tokens=5_000)})
        assert used(ledger, account)[account, "day"] == (50 + own, 20)
        assert used(ledger, account)[account, "hour"] == (own, 0)
        assert used(ledger, account)[account, "month"] == (1_050 + own, 20)
    ledger.settle("user", "open", Spend(1))
    ledger.reconcile("user", "doubt", Spend(2))
    ledger.reserve("user", "released", "Outline", Spend(3))
    for account, own in (("team", 5), ("user", 0)):
        assert used(ledger, account)[account, "day"] == (13 + own, 3)
        assert used(ledger, account)[account, "hour"] == (own, 3)


def test_a_period_that_is_removed_and_added_again_has_missed_nothing(ledger, clock):
    day = {"day": Budget(max_tokens=100)}
    ledger.open("user", day)
    spend(ledger, "user", "before", 10)
    ledger.reserve("user", "open", "Outline", Spend(20))
    ledger.set_limits("user", Budget())
    spend(ledger, "user", "between", 60)
    ledger.settle("user", "open", Spend(5))
    ledger.set_limits("user", day)
    assert used(ledger, "user")["user", "day"] == (75, 0)
    assert refused(ledger, "user", 26) == ("user", "day", 1)
    ledger.set_limits("user", {"day": Budget(max_tokens=50)})
    assert refused(ledger, "user", 0) == ("user", "day", 25)
    ledger.set_limits("user", day)
    assert used(ledger, "user")["user", "day"] == (75, 0)


def test_another_zone_counts_its_own_day_from_its_midnight(ledger, clock):
    clock.ms = ms_of("2027-06-01 14:30")  # 23:30 in Tokyo
    day = {"day": Budget(max_tokens=100)}
    ledger.open("user", day)
    spend(ledger, "user", "morning", 40)
    clock.ms += HOUR_MS
    spend(ledger, "user", "afternoon", 30)
    ledger.set_limits("user", day, zone="Asia/Tokyo")
    assert used(ledger, "user")["user", "day"] == (30, 0)
    spend(ledger, "user", "evening", 70)
    assert refused(ledger, "user", 1) == ("user", "day", 1)
    ledger.set_limits("user", day, zone="UTC")
    assert used(ledger, "user")["user", "day"] == (140, 0)
    assert refused(ledger, "user", 0) == ("user", "day", 40)


def test_a_window_ends_by_the_zone_in_force(ledger, clock):
    """Also where the windows of two zones begin together and only end apart."""
    clock.ms = ms_of("2027-03-28 00:30", BERLIN)
    for zone in ("Africa/Lagos", BERLIN, "Africa/Lagos"):
        ledger.open("user", {"day": Budget(max_tokens=100)}, zone=zone)
        spend(ledger, "user", zone, 30)
        assert resets(ledger, "user")["user", "day"] == ms_of("2027-03-29 00:00", zone)
    assert used(ledger, "user")["user", "day"] == (60, 0)


def test_limits_below_what_is_used_stop_new_calls_in_that_window_only(ledger, clock):
    ledger.open("team", {"day": Budget(max_tokens=100)})
    ledger.open("user", Budget(), parent="team")
    spend(ledger, "user", "k", 60)
    ledger.reserve("user", "open", "Outline", Spend(30))
    ledger.set_limits("team", {"day": Budget(max_tokens=50)})
    assert left(ledger, "user")[0] == 0
    assert refused(ledger, "user", 0) == ("team", "day", 40)
    ledger.settle("user", "open", Spend(30))
    assert used(ledger, "user")["team", "day"] == (90, 0)
    clock.ms += 24 * HOUR_MS
    assert refused(ledger, "user", 51) == ("team", "day", 1)
    spend(ledger, "user", "l", 50)
    ledger.set_limits("team", {"day": Budget(max_tokens=120)})
    assert left(ledger, "user")[0] == 70


def test_opening_with_other_periods_changes_them(ledger):
    """As it changes limits: what was given last holds."""
    ledger.open("user", "1k tokens a day")
    spend(ledger, "user", "k", 300)
    balance = ledger.open("user", "2k tokens an hour, $1")
    assert [each.period for each in balance.periods] == ["run", "hour"]
    assert used(ledger, "user")["user", "hour"] == (300, 0)
    assert ledger.open("user", "2k tokens an hour, $1") == balance


def test_an_overrun_counts_in_every_window(ledger, clock):
    ledger.open("team", {"month": Budget(max_tokens=1_000)})
    ledger.open("user", {"day": Budget(max_tokens=100)}, parent="team")
    ledger.reserve("user", "k", "Outline", Spend(100))
    ledger.settle("user", "k", Spend(1_200))
    assert refused(ledger, "user", 0) == ("user", "day", 1_100)
    clock.ms += 24 * HOUR_MS
    assert refused(ledger, "user", 0) == ("team", "month", 200)


def test_money_and_calls_are_limited_by_the_day_too(ledger):
    ledger.open("user", "$0.000001 a day, 2 calls a day")
    ledger.reserve("user", "k", "Outline", Spend(9_999, 400, 0, 1))
    for worst_case, missing in (
        (Spend(0, 601), {"cost": 1}),
        (Spend(0, 0, 0, 2), {"tool_calls": 1}),
    ):
        with pytest.raises(BudgetExceeded) as refusal:
            ledger.reserve("user", "l", "Outline", worst_case)
        assert (refusal.value.period, refusal.value.missing) == ("day", missing)


def test_a_clock_that_is_put_back_finds_the_old_day_as_it_was(ledger, clock):
    """No day gets its limit twice, however the clock goes back and forth over midnight."""
    ledger.open("user", {"day": Budget(max_tokens=100)})
    today_ms = clock.ms
    spend(ledger, "user", "k", 70)
    clock.ms += 24 * HOUR_MS
    spend(ledger, "user", "l", 90)
    for _ in range(3):
        clock.ms = today_ms
        assert refused(ledger, "user", 31) == ("user", "day", 1)
        clock.ms += 24 * HOUR_MS
        assert refused(ledger, "user", 11) == ("user", "day", 1)
    clock.ms = today_ms
    spend(ledger, "user", "m", 30)
    assert refused(ledger, "user", 1) == ("user", "day", 1)

"""Rules, windows and posting by themselves: resource by resource, to the last unit."""

import pytest

from tests.ledger.shorthand import ms_of
from thrifty.budget import ReservationClosed, Spend
from thrifty.ledger import accounts, calls, posting, rules, windows
from thrifty.ledger.memory import MemoryTables
from thrifty.ledger.records import Entry
from thrifty.ledger.rules import SUM_MAX, ZERO_AMOUNTS
from thrifty.ledger.storage import Counter
from thrifty.ledger.windows import NOT_STORED, WHOLE_LIFE

MOST = 10**15
PLACES = {"tokens": 0, "cost": 1, "tool_calls": 3}
"""Where the resources that a ledger limits stand among the four."""
NO_LIMITS = (None,) * 4
NOON_MS = ms_of("2027-06-01 12:00:25")


def counter(
    limits=NO_LIMITS, spent=ZERO_AMOUNTS, reserved=ZERO_AMOUNTS, over=ZERO_AMOUNTS, notified=0
) -> Counter:
    return Counter(7, 3, "run", *WHOLE_LIFE, limits, spent, reserved, over, notified)


def at(place: int, amount, others=0) -> tuple:
    return tuple(amount if i == place else others for i in range(4))


def test_amounts_are_added_and_taken_away_each_for_itself():
    a, b, c = (1, 20, 300, 4_000), (5, 6, 7, 8), (1, 2, 3, 4)
    assert rules.add_amounts(a, b) == (6, 26, 307, 4_008)
    assert rules.replace_term(a, c, b) == (5, 24, 304, 4_004)
    assert rules.excess_amounts(a, b) == (0, 14, 293, 3_992)
    assert rules.excess_amounts(b, a) == (4, 0, 0, 0)
    assert rules.excess_amounts((7, 3, 3, 6), (0, 11, 12, 0)) == (7, 0, 0, 6)


@pytest.mark.parametrize(("name", "place"), PLACES.items(), ids=PLACES)
def test_what_is_missing_is_what_passes_the_limit(name, place):
    """What is used and the worst case together. Without a limit, what can be added up limits."""
    limits, used = at(place, 100, None), at(place, 50)
    assert rules.shortfall(limits, used, at(place, 50)) == {}
    assert rules.shortfall(limits, used, at(place, 57)) == {name: 7}
    assert rules.shortfall(NO_LIMITS, at(place, SUM_MAX - MOST), at(place, MOST)) == {}
    assert rules.shortfall(NO_LIMITS, at(place, SUM_MAX - MOST + 1), at(place, MOST)) == {name: 1}
    assert rules.shortfall(at(place, 0, None), ZERO_AMOUNTS, ZERO_AMOUNTS) == {}
    assert rules.shortfall(limits, at(place, 101), ZERO_AMOUNTS) == {name: 1}


def test_sums_stay_below_what_a_database_adds_up():
    """With thousands of overruns on top of them."""
    assert SUM_MAX + 4_000 * MOST < 2**63 - 1


def test_all_that_is_missing_is_told():
    assert rules.shortfall((1, 1, 1, 1), ZERO_AMOUNTS, (2, 3, 4, 5)) == {
        "tokens": 1,
        "cost": 2,
        "tool_calls": 4,
    }


def test_time_is_never_missing():
    assert rules.shortfall((None, None, 5, None), (0, 0, 9, 0), (0, 0, 9, 0)) == {}


@pytest.mark.parametrize(("name", "place"), PLACES.items(), ids=PLACES)
def test_more_is_missing_only_where_there_is_more(name, place):
    """What is over in another resource is no hindrance."""
    limits, used = (100, 100, None, 100), (150, 150, 0, 150)
    assert rules.shortfall_of_more(limits, used, at(place, 1)) == {name: 51}
    assert rules.shortfall_of_more(limits, used, ZERO_AMOUNTS) == {}
    assert rules.shortfall_of_more(limits, used, (0, 0, 9, 0)) == {}
    assert rules.shortfall_of_more(limits, at(place, 40, 150), at(place, 60)) == {}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_what_a_counter_is_over_is_stated_as_it_is(place):
    limits = at(place, 100, None)
    for spent, reserved, over in [(60, 40, 0), (60, 39, 0), (60, 41, 1), (130, 20, 50)]:
        before = counter(NO_LIMITS, at(place, spent), at(place, reserved), at(place, 9))
        limited = rules.with_limits(before, limits)
        assert limited == before._replace(limits=limits, over=at(place, over))
    assert rules.with_limits(counter(spent=at(place, MOST)), NO_LIMITS).over == ZERO_AMOUNTS


def test_a_counter_is_never_over_in_time():
    late = counter(spent=(0, 0, 9, 0))
    assert rules.with_limits(late, (None, None, 5, None)).over == ZERO_AMOUNTS


@pytest.mark.parametrize("status", ["pending", "unsent", "granted"])
def test_what_is_open_holds_all_that_it_reserved(status):
    assert rules.held_amounts(Entry("k", "k", status, Spend(1, 2, 3, 4))) == (1, 2, 3, 4)


@pytest.mark.parametrize("status", ["settled", "released", "in_doubt", "returned"])
def test_what_is_closed_holds_nothing(status):
    assert rules.held_amounts(Entry("k", "k", status, Spend(1, 2, 3, 4))) == ZERO_AMOUNTS


def test_a_counter_with_a_new_reservation_holds_that_too():
    """And is not over by it: so the database can refuse what does not fit."""
    before = counter((9, 9, 9, 9), (1, 1, 1, 1), (1, 2, 3, 4), (5, 0, 0, 0), 80)
    assert rules.with_reservation(before, (4, 3, 2, 1)) == before._replace(reserved=(5, 5, 5, 5))


def test_a_counter_follows_what_becomes_of_an_entry():
    pending = Entry("k", "k", "pending", Spend(5, 6, 7, 8))
    settled = pending._replace(status="settled", charged=Spend(9, 1, 2, 3))
    before = counter((12, 99, 99, 99), (4, 4, 4, 4), (10, 10, 10, 10), notified=80)
    after = rules.with_changed_entry(before, pending, settled)
    assert after == before._replace(spent=(13, 5, 6, 7), reserved=(5, 4, 3, 2), over=(6, 0, 0, 0))
    back = rules.with_changed_entry(after, settled, pending)
    assert back == before._replace(over=(2, 0, 0, 0))


@pytest.mark.parametrize(
    ("status", "spent", "reserved"),
    [("pending", 1, 15), ("in_doubt", 6, 10), ("released", 1, 10)],
)
def test_a_counter_takes_an_entry_in_whatever_state_it_is(status, spent, reserved):
    """As a period does that is added later."""
    charged = Spend(5, 5, 5, 5) if status == "in_doubt" else Spend()
    entry = Entry("k", "k", status, Spend(5, 5, 5, 5), charged)
    after = rules.with_entry(counter(spent=(1,) * 4, reserved=(10,) * 4), entry)
    assert (after.spent, after.reserved) == ((spent,) * 4, (reserved,) * 4)


def test_what_is_unused_is_what_is_left_of_each_limit():
    assert rules.unused_limits((10, None, 50, 2)) == (10, 0, 0, 2)
    assert rules.unused_limits((10, None, 50, 2), (4, 5, 6, 7)) == (6, 0, 0, 0)


def test_a_sum_beyond_the_largest_amount_is_shown_as_that():
    assert rules.as_spend((MOST, MOST + 1, 0, 2**70)) == Spend(MOST, MOST, 0, MOST)


def test_counters_are_compared_with_the_sums_of_the_entries():
    entries = [
        Entry("k", "k", "settled", Spend(9, 9, 9, 9), Spend(1, 2, 3, 4)),
        Entry("l", "l", "pending", Spend(5, 6, 7, 8)),
    ]
    assert rules.adds_up(counter(spent=(1, 2, 3, 4), reserved=(5, 6, 7, 8)), iter(entries))
    assert not rules.adds_up(counter(spent=(1, 2, 3, 4)), entries)
    assert not rules.adds_up(counter(reserved=(5, 6, 7, 8)), entries)
    assert rules.adds_up(counter(), [])


def test_what_nobody_knows_costs_all_but_the_time_that_is_known():
    entry = Entry("k", "k", "pending", Spend(5, 6, 7, 8), tags=(("a", "b"),), counters=(1, 2))
    assert rules.full_charge(entry) == Spend(5, 6, 0, 8)
    assert rules.full_charge(entry, 9) == Spend(5, 6, 9, 8)
    doubt = entry._replace(status="in_doubt", charged=Spend(5, 6, 0, 8))
    assert rules.close_abandoned(entry) == doubt
    unsent = entry._replace(status="unsent", fingerprint="aa", run="one")
    assert rules.close_abandoned(unsent) == unsent._replace(status="released")


def test_a_call_comes_out_of_a_state_once():
    settled = Entry("k", "k", "settled", Spend(5), Spend(4), "an answer")
    with pytest.raises(ReservationClosed, match="settled"):
        rules.with_status(settled, "released", Spend())
    assert rules.with_status(settled, "in_doubt", Spend(5), out_of=("settled",)) == (
        settled._replace(status="in_doubt", charged=Spend(5), answer="")
    )


def test_what_an_entry_charges_more_than_it_had_is_an_overrun():
    """Time is none."""
    for place, is_overrun in enumerate([True, True, False, True]):
        entry = Entry("k", "k", "settled", Spend(5, 5, 5, 5), Spend(*at(place, 6, 5)))
        assert entry.is_overrun == is_overrun
    assert not Entry("k", "k", "settled", Spend(5, 5, 5, 5), Spend(5, 5, 5, 5)).is_overrun


class Tables(MemoryTables):
    """Rows in memory, in which an account `user` stands below a `team`."""

    def __init__(self, **limits) -> None:
        self.ms = NOON_MS
        super().__init__(lambda: self.ms)
        given = tuple((period, (tokens, None, None, None)) for period, tokens in limits.items())
        accounts.new_account(self, "team", (("run", NO_LIMITS), *given), None)
        self.user = accounts.new_account(self, "user", (("run", NO_LIMITS), *given), "team")
        self.commit()

    def reserve(self, key, tokens) -> Entry:
        wanted = Entry(key, key, "pending", Spend(tokens), run="user", account="user")
        entry = calls.reserve(self, calls.Caller.of("user"), wanted)
        self.commit()
        return entry

    def windows_of(self, entry) -> list:
        booked = map(self.counter, entry.counters)
        return [(each.account, each.period, each.starts_ms, each.ends_ms) for each in booked]


def test_a_window_is_stored_with_its_first_call_and_not_before():
    """A refusal, or a look, leaves none behind."""
    tables = Tables(minute=10, day=100)
    stored = dict(tables._counters)
    found = list(windows.current_counters(tables, tables.user))
    assert [each.counter.id == NOT_STORED for each in found] == [False, True, True] * 2
    with pytest.raises(Exception, match="minute"):
        tables.reserve("k", 11)
    assert tables._counters == stored
    tables.reserve("k", 10)
    assert len(tables._counters) == len(stored) + 4
    tables.reserve("l", 0)
    assert len(tables._counters) == len(stored) + 4


def test_an_entry_knows_its_counters_from_the_account_to_the_root():
    tables = Tables(minute=10, day=100)
    day = ms_of("2027-06-01"), ms_of("2027-06-02")
    minute = NOON_MS - 5_000, NOON_MS + 5_000
    expected = [
        (account, period, *window)
        for account in (2 + 1, 1)
        for period, window in (("run", WHOLE_LIFE), ("minute", minute), ("day", day))
    ]
    assert tables.windows_of(tables.reserve("k", 10)) == expected
    tables.ms += 10_000
    later = tables.windows_of(tables.reserve("l", 0))
    assert sorted(set(later) - set(expected)) == [
        (account, "minute", *(each + 10_000 for each in minute)) for account in (1, 3)
    ]


def test_a_counter_is_held_to_changed_limits_by_the_next_call():
    """What was stored under the old ones is changed with it."""
    tables = Tables(day=100)
    entry = tables.reserve("k", 60)
    limits = (("run", NO_LIMITS), ("day", (70, None, None, None)))
    accounts.change_limits(tables, tables.user, limits)
    day = entry.counters[1]
    assert tables.counter(day).limits[0] == 100
    with pytest.raises(Exception, match="11 tokens short"):
        tables.reserve("l", 21)
    tables.reserve("l", 10)
    assert (tables.counter(day).limits[0], tables.counter(day).over) == (70, ZERO_AMOUNTS)


def test_an_entry_is_booked_once_in_a_window_however_often_it_is_counted():
    """A period that goes and comes back finds its old windows."""
    tables = Tables(day=100)
    entry = tables.reserve("k", 60)
    with_day, without = tables.user.limits, tables.user.limits[:1]
    for limits in (without, with_day, without, with_day):
        accounts.change_limits(tables, tables.account("user"), limits)
    assert tables.entry("user", "k") == entry
    assert tables.counter(entry.counters[1]).reserved[0] == 60


def test_what_is_posted_and_undone_leaves_every_counter_as_it_was():
    tables = Tables(minute=100, month=100)
    tables.reserve("before", 3)
    before = dict(tables._counters)
    for change in (
        lambda e: e._replace(status="released"),
        lambda e: e._replace(status="settled", charged=Spend(90)),
    ):
        entry = tables.entry("user", "before")
        posting.post_change(tables, entry, change(entry))
        assert tables._counters != before
        posting.post_change(tables, change(entry), entry)
        assert tables._counters == before
    tables.roll_back()
    assert tables._counters == before


@pytest.mark.parametrize(("sign", "steps"), [(1, 7), (-1, 1_000)], ids=["on", "back"])
def test_a_minute_counts_what_began_up_to_a_minute_before_it(sign, steps):
    """Or after it, however long, where the clock was put back."""
    tables = Tables(minute=100)
    entry = tables.reserve("k", 60)
    for step in range(9):
        tables.ms = NOON_MS + sign * step * 10_000
        (_, current, *_) = windows.current_counters(tables, tables.user)
        assert current.used[0] == (60 if step < steps else 0)
        tables.commit()
    assert tables.counter(entry.counters[1]).starts_ms == NOON_MS - 5_000

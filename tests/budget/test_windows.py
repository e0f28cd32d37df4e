"""Windows of time: they tile it, and days and months go from local midnight to local midnight."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.long_cases import long_but
from thrifty.budget import InvalidInput
from thrifty.budget.periods import (
    MINUTE_BUCKET_MS,
    MINUTE_BUCKETS,
    PERIODS,
    time_zone,
    window_of,
)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WINDOWED = PERIODS[1:]
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Sao_Paulo",  # until 2019 put forward at midnight: some days began at 01:00
    "America/Santiago",  # still is
    "America/Havana",  # forward at midnight, and back to it: it happens twice
    "America/St_Johns",  # until 2011 at one minute past midnight, in a zone of 3 h 30
    "Asia/Beirut",
    "Africa/Cairo",
    "Asia/Kathmandu",  # 5 h 45
    "Pacific/Chatham",  # 12 h 45
    "Australia/Lord_Howe",  # put forward by 30 minutes
    "Antarctica/Troll",  # by two hours
    "Pacific/Apia",  # has no 30 December 2011
    "Pacific/Kiritimati",  # 14 h before UTC, and without 31 December 1994
    "Africa/Casablanca",  # back and forth for Ramadan
)
AT_ONCE = ("Europe/Berlin", "America/Havana", "Pacific/Apia")


def ms(text: str) -> int:
    """An instant that is written with its offset."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def local(at_ms: int, zone: str) -> datetime:
    """What clocks there show."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def windows(period: str, zone: str, first_ms: int, last_ms: int) -> list[tuple[int, int]]:
    found = [window_of(period, zone, first_ms)]
    while found[-1][1] <= last_ms:
        found.append(window_of(period, zone, found[-1][1]))
    return found


@pytest.mark.parametrize("zone", long_but(ZONES, *AT_ONCE))
def test_each_day_begins_when_clocks_first_show_it(zone):
    days = windows("day", zone, ms("1994-12-01T00:00+00:00"), ms("2028-01-01T00:00+00:00"))
    for starts_ms, ends_ms in days:
        assert starts_ms < ends_ms
        shown = local(starts_ms, zone).date()
        midnight = datetime.combine(shown, datetime.min.time())
        for before_ms in (1, 60_000, HOUR_MS, 2 * HOUR_MS):
            assert local(starts_ms - before_ms, zone) < midnight
        aware = midnight.replace(tzinfo=ZoneInfo(zone))
        if local(round(aware.timestamp() * 1000), zone) == midnight:  # that day has a midnight
            assert starts_ms == round(aware.timestamp() * 1000)
    shown = [local(starts_ms, zone).date() for starts_ms, _ in days]
    skipped = {a + timedelta(1) for a, b in pairwise(shown) if b - a == timedelta(2)}
    assert all(b - a in (timedelta(1), timedelta(2)) for a, b in pairwise(shown))
    lost = {"Pacific/Apia": {date(2011, 12, 30)}, "Pacific/Kiritimati": {date(1994, 12, 31)}}
    assert skipped == lost.get(zone, set())


@pytest.mark.parametrize("zone", long_but(ZONES, *AT_ONCE))
def test_each_month_begins_with_its_first_day(zone):
    first_ms, last_ms = ms("1994-12-01T12:00+00:00"), ms("2028-01-01T00:00+00:00")
    day_starts = {starts_ms for starts_ms, _ in windows("day", zone, first_ms, last_ms + DAY_MS)}
    months = windows("month", zone, first_ms, last_ms)[1:]
    assert len(months) >= 33 * 12
    for starts_ms, ends_ms in months:
        assert starts_ms in day_starts
        assert local(starts_ms, zone).day == 1
        assert 27 * DAY_MS < ends_ms - starts_ms < 32 * DAY_MS


@pytest.mark.parametrize(
    ("period", "zone", "inside", "starts", "ends"),
    [
        ("day", "Europe/Berlin", "2026-03-29T12:00+02:00", "2026-03-29T00:00+01:00",
         "2026-03-30T00:00+02:00"),  # 23 hours
        ("day", "Europe/Berlin", "2026-10-25T02:30+01:00", "2026-10-25T00:00+02:00",
         "2026-10-26T00:00+01:00"),  # 25 hours
        ("month", "Europe/Berlin", "2026-03-01T00:00+01:00", "2026-03-01T00:00+01:00",
         "2026-04-01T00:00+02:00"),
        ("month", "UTC", "2027-12-31T23:59:59.999+00:00", "2027-12-01T00:00+00:00",
         "2028-01-01T00:00+00:00"),
        ("day", "America/Sao_Paulo", "2018-11-04T01:00-02:00", "2018-11-04T00:00-03:00",
         "2018-11-05T00:00-02:00"),  # has no midnight: begins where the day before ends
        ("day", "America/Sao_Paulo", "2018-02-17T23:30-03:00", "2018-02-17T00:00-02:00",
         "2018-02-18T00:00-03:00"),  # 23:30 for the second time
        ("day", "America/Havana", "2026-11-01T00:30-05:00", "2026-11-01T00:00-04:00",
         "2026-11-02T00:00-05:00"),  # the first of two midnights
        ("day", "America/St_Johns", "2009-11-01T00:00:30-02:30", "2009-11-01T00:00-02:30",
         "2009-11-02T00:00-03:30"),
        ("day", "America/St_Johns", "2009-10-31T23:30-03:30", "2009-11-01T00:00-02:30",
         "2009-11-02T00:00-03:30"),  # put back into a day and a month that were over
        ("month", "America/St_Johns", "2009-10-31T23:30-03:30", "2009-11-01T00:00-02:30",
         "2009-12-01T00:00-03:30"),
        ("day", "Pacific/Apia", "2011-12-29T23:59-10:00", "2011-12-29T00:00-10:00",
         "2011-12-31T00:00+14:00"),
        ("day", "Asia/Kathmandu", "2026-01-01T00:00+05:45", "2026-01-01T00:00+05:45",
         "2026-01-02T00:00+05:45"),
        ("hour", "Asia/Kathmandu", "2026-01-01T00:00+05:45", "2025-12-31T18:00+00:00",
         "2025-12-31T19:00+00:00"),
        ("minute", "UTC", "2026-01-01T00:00:59.999+00:00", "2026-01-01T00:00:50+00:00",
         "2026-01-01T00:01:00+00:00"),
        ("day", "UTC", "1969-12-31T23:00+00:00", "1969-12-31T00:00+00:00",
         "1970-01-01T00:00+00:00"),
    ],
)  # fmt: skip
def test_a_window_is_known(period, zone, inside, starts, ends):
    assert window_of(period, zone, ms(inside)) == (ms(starts), ms(ends))
    for other in (ms(starts), ms(ends) - 1):
        assert window_of(period, zone, other) == (ms(starts), ms(ends))
    assert window_of(period, zone, ms(ends))[0] == ms(ends)
    assert window_of(period, zone, ms(starts) - 1)[1] == ms(starts)


instants = st.integers(ms("1985-01-01T00:00+00:00"), ms("2045-01-01T00:00+00:00"))


@given(st.sampled_from(WINDOWED), st.sampled_from(ZONES), st.lists(instants, min_size=1))
def test_windows_contain_their_instant_and_tile_the_time_in_whatever_order_one_asks(
    period, zone, asked
):
    for now_ms in asked:
        starts_ms, ends_ms = window_of(period, zone, now_ms)
        assert starts_ms <= now_ms < ends_ms
        assert window_of(period, zone, ends_ms)[0] == ends_ms
        assert window_of(period, zone, starts_ms - 1)[1] == starts_ms
        assert window_of(period, zone, starts_ms) == (starts_ms, ends_ms)
        assert window_of(period, zone, ends_ms - 1) == (starts_ms, ends_ms)


@given(instants, st.integers(0, 59_999))
def test_whatever_lies_within_a_minute_is_counted_together(now_ms, earlier_ms):
    bucket_ms, _ = window_of("minute", "UTC", now_ms)
    earlier_bucket_ms, _ = window_of("minute", "UTC", now_ms - earlier_ms)
    counted = [bucket_ms - each * MINUTE_BUCKET_MS for each in range(MINUTE_BUCKETS)]
    assert earlier_bucket_ms in counted


@given(instants)
def test_an_hour_is_one_of_utc_in_every_zone(now_ms):
    assert {window_of("hour", zone, now_ms) for zone in ZONES} == {
        (now_ms // HOUR_MS * HOUR_MS, (now_ms // HOUR_MS + 1) * HOUR_MS)
    }


UNKNOWN_ZONES = [
    *("", "berlin", "europe/berlin", "Europe", "Europe/Bonn", "Europe/Berlin\n", "localtime", "."),
    *("../etc/passwd", "/etc/localtime", "right/Europe/Berlin", "zone.tab", "A\0b", "Ü", "\ud800"),
    *("A" * 5_000, 5, None, ["UTC"]),
]


@pytest.mark.parametrize("zone", UNKNOWN_ZONES, ids=[ascii(zone)[:20] for zone in UNKNOWN_ZONES])
def test_an_unknown_zone_is_refused(zone):
    with pytest.raises(InvalidInput) as raised:
        time_zone(zone, "--zone")
    assert (raised.value.field, raised.value.value) == ("--zone", zone)
    assert "such as Europe/Berlin" in raised.value.remedy
    if isinstance(zone, str):
        for period in WINDOWED:
            with pytest.raises(InvalidInput, match=r"^zone: "):
                window_of(period, zone, 0)


def test_a_run_has_no_windows():
    with pytest.raises(InvalidInput, match=r"^period: got 'run'; use one of: day, hour, minute"):
        window_of("run", "UTC", 0)

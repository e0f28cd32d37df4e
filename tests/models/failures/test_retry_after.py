"""How long a server asks to be left alone, in every form."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from thrifty.models.failures.retry_after import retry_after_ms

NOW = "Mon, 30 Nov 2026 12:00:00 GMT"
LATER = "Mon, 30 Nov 2026 12:00:07 GMT"


@pytest.mark.parametrize(
    ("headers", "wait_ms"),
    [
        ({"retry-after": "2"}, 2_000),
        ({"retry-after": "0.25"}, 250),
        ({"retry-after": "3s"}, 3_000),
        ({"retry-after-ms": "30", "retry-after": "2"}, 30),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2_000),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": LATER, "date": NOW}, 7_000),
        ({"retry-after": NOW, "date": LATER}, 0),
        ({"retry-after": LATER.replace("GMT", "-0000"), "date": NOW}, 7_000),
        ({"retry-after": "Mon, 99 Nov 2026 12:00:07 GMT"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "later"}, None),
        ({"x-ratelimit-reset-requests": "1s"}, 1_000),
        ({"x-ratelimit-reset-tokens": "6m0s"}, 360_000),
        ({"x-ratelimit-reset-tokens": "1h2m3.5s"}, 3_723_500),
        ({"x-ratelimit-reset-tokens": "2d"}, 172_800_000),
        ({"x-ratelimit-reset-tokens": "20ms"}, 20),
        ({"x-ratelimit-reset-tokens": "7"}, 7_000),
        ({"x-ratelimit-reset-tokens": "1m soon"}, None),
        ({"x-ratelimit-reset-requests": "9s", "x-ratelimit-reset-tokens": "20ms"}, 9_000),
        ({"retry-after": "1", "x-ratelimit-reset-tokens": "20s"}, 1_000),
        ({}, None),
    ],
)
def test_a_wait_is_read_in_every_form(headers, wait_ms):
    assert retry_after_ms(headers) == wait_ms


@pytest.mark.parametrize(("out", "wait_ms"), [("requests", 9_000), ("tokens", 20)])
def test_what_has_run_out_is_waited_for(out, wait_ms):
    headers = {"x-ratelimit-reset-requests": "9s", "x-ratelimit-reset-tokens": "20ms"}
    left = {f"x-ratelimit-remaining-{kind}": "12" for kind in ("requests", "tokens")}
    assert retry_after_ms({**headers, **left, f"x-ratelimit-remaining-{out}": "0"}) == wait_ms


def test_without_the_servers_clock_a_date_is_held_against_our_own():
    soon = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    wait_ms = retry_after_ms({"retry-after": soon})
    assert wait_ms is not None
    assert 3_000_000 < wait_ms <= 3_600_000

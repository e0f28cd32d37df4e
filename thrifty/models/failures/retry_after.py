"""How long a server asks to be left alone, in whatever form it says so."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
"""`6m0s`, `1.5s`, `20ms`."""
DURATION_MS = (86_400_000, 3_600_000, 60_000, 1_000, 1)
KINDS = ("requests", "tokens")
"""What OpenAI limits in a minute or a day, and those who speak like it."""
NOTHING_LEFT = "0"


def retry_after_ms(headers: Mapping[str, str]) -> int | None:
    """How long to wait before the next attempt; None where the server does not say.

    Read are, in this order: `retry-after-ms`, `retry-after` in seconds or as a date, and
    `x-ratelimit-reset-*` of what has run out.
    """
    asked = (
        _number_ms(headers.get("retry-after-ms", ""), 1),
        duration_ms(headers.get("retry-after", "")),
        _date_ms(headers.get("retry-after", ""), headers.get("date", "")),
        _reset_ms(headers),
    )
    return next((wait_ms for wait_ms in asked if wait_ms is not None), None)


def duration_ms(text: str) -> int | None:
    """A length of time such as `6m0s`, `20ms` or `34.5s`; bare numbers are seconds."""
    bare = _number_ms(text, 1_000)
    found = DURATION.fullmatch(text.strip()) if bare is None else None
    if found is None or not any(found.groups()):
        return bare
    parts = zip(found.groups(), DURATION_MS, strict=True)
    return math.ceil(sum(float(count) * unit for count, unit in parts if count))


def _number_ms(text: str, factor: int) -> int | None:
    try:
        return max(0, math.ceil(float(text) * factor))
    except (ValueError, OverflowError):  # absent, a date, or nonsense
        return None


def _date_ms(text: str, now: str) -> int | None:
    """The time until a date, by the server's own clock where it tells what that says."""
    if (until := _moment(text)) is None:
        return None
    left = until - (_moment(now) or datetime.now(UTC))
    return max(0, math.ceil(left.total_seconds() * 1_000))


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _reset_ms(headers: Mapping[str, str]) -> int | None:
    """When there is room again, of what has run out. Where nobody says what has, of the slowest."""
    waits = {}
    for kind in KINDS:
        if (wait_ms := duration_ms(headers.get(f"x-ratelimit-reset-{kind}", ""))) is not None:
            waits[kind] = wait_ms
    out = [k for k in waits if headers.get(f"x-ratelimit-remaining-{k}", "") == NOTHING_LEFT]
    return max((waits[kind] for kind in out or waits), default=None)

"""What commands share: a moment in the past, as people write it."""

import re
from datetime import datetime, tzinfo

from thrifty.budget import InvalidInput
from thrifty.budget.local_time import EPOCH, MILLISECOND, local_time

AGO_PATTERN = re.compile(r"(?P<count>\d{1,5})\s*(?P<unit>[hd])", re.ASCII)
MS_OF_UNIT = {"h": 3_600_000, "d": 86_400_000}
SINCE_REMEDY = "write a day as in 2026-11-30, 'today', or how long ago as in 7d or 24h"


def read_since(field: str, given: str | None, zone: tzinfo, now_ms: int) -> int:
    """A moment in milliseconds since 1970. Without one, it is the beginning of that time.

    Args:
        field: where it was written.
        given: a day or a time in ISO 8601, `today`, or a number of days or hours ago.
        zone: in which a day begins, and a time without an offset is meant.
        now_ms: now.

    Raises:
        InvalidInput: it is none of these.
    """
    if given is None:
        return 0
    text = given.strip().lower()
    if ago := AGO_PATTERN.fullmatch(text):
        return now_ms - int(ago["count"]) * MS_OF_UNIT[ago["unit"]]
    if text == "today":
        text = f"{local_time(now_ms, zone):%Y-%m-%d}"
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise InvalidInput(field, given, SINCE_REMEDY) from error
    local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return (local - EPOCH) // MILLISECOND

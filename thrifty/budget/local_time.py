"""What clocks show in a time zone: milliseconds since 1970 as local time."""

from datetime import UTC, datetime, timedelta, tzinfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def load_zone(zone: str) -> tzinfo:
    """A time zone by its IANA name. For UTC, a machine needs no time zone database."""
    if zone == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # here, since whoever imports errors would load it

    return ZoneInfo(zone)


def local_time(at_ms: int, zone: tzinfo) -> datetime:
    """An instant as clocks in a time zone show it, with that zone."""
    return (EPOCH + at_ms * MILLISECOND).astimezone(zone)

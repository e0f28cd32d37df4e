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


RESET_FORMATS = {"minute": "at %H:%M:%S", "month": "on %Y-%m-%d at %H:%M"}
"""How the end of a window is written where hours and minutes do not say it."""


def describe_reset(period: str, resets_at_ms: int, zone: str) -> str:
    """When a window ends, in words: "it resets at 00:00 (Europe/Berlin)"."""
    reset = local_time(resets_at_ms, load_zone(zone))
    return f"it resets {reset.strftime(RESET_FORMATS.get(period, 'at %H:%M'))} ({zone})"

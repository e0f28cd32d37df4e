"""What comes into a ledger's acts, checked: names, keys, limits and tags."""

from collections.abc import Mapping
from functools import lru_cache

from thrifty.budget import InvalidInput
from thrifty.budget.periods import Limits, limits_by_period, time_zone
from thrifty.budget.plain_text import strip_invisible
from thrifty.ledger.accounts import PeriodLimits
from thrifty.ledger.calls import Caller
from thrifty.ledger.records import AccountOrLease, Tags

ACCOUNT_LENGTH_MAX = 250
KEY_LENGTH_MAX = 400
"""In characters: account and key together fill an index row of PostgreSQL's (2,704 bytes)."""
TAGS_MAX, TAG_LENGTH_MAX = 20, 200


def read_period_limits(limits: Limits) -> PeriodLimits:
    return tuple([(period, each.limits) for period, each in limits_by_period(limits).items()])


def check_zone(zone: str | None) -> None:
    if zone is not None:
        time_zone(zone)


@lru_cache(maxsize=4096)
def check_caller(account: AccountOrLease) -> Caller:
    """Who asks, checked once for all the calls of a run."""
    caller = Caller.of(account)
    check_account(caller.account)
    return caller


def check_account(name: str) -> str:
    return check_text("account", name, ACCOUNT_LENGTH_MAX)


def check_parent(name: str | None) -> None:
    if name is not None:
        check_text("parent", name, ACCOUNT_LENGTH_MAX)


def check_tags(tags: Mapping[str, str]) -> Tags:
    if len(tags) > TAGS_MAX:
        raise InvalidInput("tags", sorted(tags), f"use at most {TAGS_MAX}")
    return tuple([_check_tag(name, tags[name]) for name in sorted(tags)])


def _check_tag(name: str, value: str) -> tuple[str, str]:
    check_text("tags", name, TAG_LENGTH_MAX)
    return name, check_text(f"tags.{name}", value, TAG_LENGTH_MAX)


def check_text(field: str, value: str, maximum: int) -> str:
    """A text that every database can store and compare, and that a person can read.

    Raises:
        InvalidInput: it is empty, too long, or has characters that do not print.
    """
    if not isinstance(value, str) or not 0 < len(value) <= maximum:
        raise InvalidInput(field, value, f"use 1 to {maximum} characters")
    # `isprintable` is quick, and stricter than need be: a family emoji is no harm.
    if not (value.isprintable() or strip_invisible(value) == value):
        raise InvalidInput(field, value, "leave out control characters and half characters")
    return value

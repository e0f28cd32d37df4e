"""How old the public price list is, and a warning where that is too old to be trusted."""

import logging
from collections.abc import Iterator
from datetime import date
from typing import Any

logger = logging.getLogger(__name__)

LIST_AGE_MAX_DAYS = 120
"""An older list is warned of, once a day. It still prices calls."""
_checked: dict[str, Any] = {}
"""The list that was looked at last, and the day."""


def listed_on(listed: Any, today: date) -> date | None:
    """The last day of which a list surely knows the prices; None where it names no day.

    A list that was fetched says when. The one that comes with genai-prices has no date of its
    own, so it is that of its newest price.
    """
    if listed.from_auto_update:
        fetched: date = listed.timestamp.date()
        return fetched
    return max((day for day in _price_days(listed) if day <= today), default=None)


def warn_of_age(listed: Any, today: date) -> None:
    """Says that a list is older than `LIST_AGE_MAX_DAYS`."""
    if _checked.get("list") is listed and _checked["day"] == today:
        return
    _checked.update(list=listed, day=today)
    since = listed_on(listed, today)
    if since is not None and (today - since).days > LIST_AGE_MAX_DAYS:
        logger.warning(
            "The public price list is of %s, %d days ago. Install a newer genai-prices, or name "
            "the prices that you pay.",
            *(since, (today - since).days),
        )


def _price_days(listed: Any) -> Iterator[date]:
    """From when each price holds that has a day."""
    for provider in listed.providers:
        for model in provider.models:
            prices = model.prices if isinstance(model.prices, list) else ()
            for priced in (*prices, *(model.price_variants or ())):
                if day := getattr(priced.constraint, "start_date", None):
                    yield day

"""What a stated amount of money comes to for each person and each day."""

from __future__ import annotations

import re
from decimal import ROUND_FLOOR, Decimal

from thrifty.executors.brief import Brief

KINDS = ("travel", "event")
"""Where money is shared out by head; a project's is not."""


def shares(brief: Brief) -> str:
    """ "about $500 a person, $166 a person and day"; empty when it cannot be said."""
    amount, people = brief.quantities.money_amount, brief.quantities.people
    if (
        amount is None
        or brief.quantities.money_is_rate
        or people < 2
        or brief.kind.name not in KINDS
    ):
        return ""
    told = f"about {_like(brief.quantities.money, amount / people)} a person"
    duration = brief.quantities.duration
    if duration and duration.describes and duration.days > 1:
        told += (
            f", {_like(brief.quantities.money, amount / people / duration.days)} a person and day"
        )
    return told


def _like(written: str, amount: Decimal) -> str:
    """An amount written as another was: its currency before or after, rounded down."""
    figure = f"{amount.to_integral_value(ROUND_FLOOR):,}"
    before, after = re.match(r"([$€£¥₹]?)", written), re.search(r"([A-Za-z]{3,})$", written)
    unit = f" {after.group(1)}" if after and not (before and before.group(1)) else ""
    return f"{before.group(1) if before else ''}{figure}{unit}"

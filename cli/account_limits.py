"""What commands share: the limits of an account, as a person types them and reads them."""

import click

from thrifty.budget import Budget
from thrifty.budget.periods import Period, format_limits, limits_by_period
from thrifty.cli.eaten_dollars import read_typed_limits
from thrifty.ledger.records import AccountInfo

limits_argument = click.argument("limits", metavar="LIMITS", nargs=-1, required=True)
"""Several words are one phrase, so that quotes are needed for a dollar sign alone."""


def read_limits(words: tuple[str, ...]) -> dict[Period, Budget]:
    """The limits of a command line.

    Raises:
        InvalidInput: they cannot be understood.
    """
    return read_typed_limits(" ".join(words), "LIMITS", limits_by_period)


def describe_change(before: AccountInfo) -> str:
    """That an account has other limits now, and which it had."""
    return f"Changed the limits of {before.name}, which were: {format_limits(before.limits)}."

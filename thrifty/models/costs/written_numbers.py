"""Numbers as a variable of the environment or a state has them: as texts."""

import re
from decimal import Decimal
from typing import Any


def read_decimal(given: Any) -> Any:
    """A plain text of a number as that number, exactly, which a number of JSON may not be.

    Anything else is left as it is, for whoever checks it.
    """
    is_number = isinstance(given, str) and re.fullmatch(r"\d{1,9}(\.\d{1,30})?", given)
    return Decimal(given) if is_number else given


def read_whole(given: Any) -> Any:
    """A plain text of a whole number as that number. Anything else is left as it is."""
    is_number = isinstance(given, str) and re.fullmatch(r"\d{1,15}", given)
    return int(given) if is_number else given

"""What commands share: a hint where a shell took the `$5` of a limit for a variable of its own."""

import re
from collections.abc import Callable
from typing import TypeVar

from thrifty.budget import InvalidInput

Limits = TypeVar("Limits")

REMAINS_PATTERN = re.compile(
    r"(?:\S*sh)?[\d.,]*\s*(?:(?:an?|per|each|every|/)\s*\w+)?|/\S*sh\S*", re.ASCII | re.IGNORECASE
)
"""What is left of `$5 a day` or `$0.02`: a shell takes `$5` and `$0` out of it."""
HINT = "put it in single quotes, as a shell takes $5 for a variable of its own"


def read_typed_limits(phrase: str, field: str, read: Callable[[str, str], Limits]) -> Limits:
    """Limits as a person typed them into a shell.

    Args:
        phrase: what arrived.
        field: what it is called on the command line.
        read: reads it, given both.

    Raises:
        InvalidInput: it cannot be understood. Where a dollar sign may be gone, that is said.
    """
    try:
        return read(phrase, field)
    except InvalidInput as error:
        refused = str(error.value).strip()
        if "$" in phrase or not REMAINS_PATTERN.fullmatch(refused):
            raise
        raise InvalidInput(error.field, error.value, f"{error.remedy}; {HINT}") from error

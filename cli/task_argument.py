"""The task, from the command line, from standard input, or from a file."""

import sys
from pathlib import Path
from typing import BinaryIO

from thrifty.budget import InvalidInput, validate
from thrifty.budget.plain_text import strip_unprintable

BYTES_MAX = 4 * validate.TEXT_MAX
"""More cannot be a text of the length that is accepted."""


def read_task(given: str) -> str:
    """The text of a task: as given, of standard input for `-`, or of a file for `@file`.

    Raises:
        InvalidInput: there is no text, too much of it, or it cannot be read.
    """
    text = given
    if given == "-":
        text = _read_text(sys.stdin.buffer, "-")
    elif given.startswith("@"):
        text = _read_file(given)
    return strip_unprintable(validate.text("TASK", text)).strip()


def _read_file(given: str) -> str:
    try:
        with Path(given[1:]).expanduser().open("rb") as file:
            return _read_text(file, given)
    except (OSError, ValueError) as error:  # a NUL in a path is a ValueError
        if isinstance(error, InvalidInput):
            raise
        why = getattr(error, "strerror", None) or str(error)
        raise InvalidInput("TASK", given, f"name a file that can be read ({why})") from error


def _read_text(source: BinaryIO, given: str) -> str:
    try:
        return source.read(BYTES_MAX + 1).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.end >= BYTES_MAX - 3:  # cut in the middle of a character: it is too long anyway
            raise InvalidInput(
                "TASK", given, f"use at most {validate.TEXT_MAX:,} characters"
            ) from error
        raise InvalidInput("TASK", given, f"save it as UTF-8 ({error.reason})") from error

"""The task, from the command line, from standard input, or from a file."""

import sys
from pathlib import Path
from typing import BinaryIO

from thrifty.budget import InvalidInput, checks
from thrifty.budget.plain_text import plain

BYTES_MAX = 4 * checks.TEXT_MAX
"""More cannot be a text of the length that is accepted."""


def read_task(given: str) -> str:
    """The text of a task: as given, of standard input for `-`, or of a file for `@file`.

    Raises:
        InvalidInput: there is no text, too much of it, or it cannot be read.
    """
    text = given
    if given == "-":
        text = _decoded(sys.stdin.buffer, "-")
    elif given.startswith("@"):
        text = _of_file(given)
    return plain(checks.text("TASK", text)).strip()


def _of_file(given: str) -> str:
    try:
        with Path(given[1:]).expanduser().open("rb") as file:
            return _decoded(file, given)
    except (OSError, ValueError) as error:  # a NUL in a path is a ValueError
        if isinstance(error, InvalidInput):
            raise
        why = getattr(error, "strerror", None) or str(error)
        raise InvalidInput("TASK", given, f"name a file that can be read ({why})") from error


def _decoded(source: BinaryIO, given: str) -> str:
    try:
        return source.read(BYTES_MAX + 1).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.end >= BYTES_MAX - 3:  # cut in the middle of a character: it is too long anyway
            raise InvalidInput(
                "TASK", given, f"use at most {checks.TEXT_MAX:,} characters"
            ) from error
        raise InvalidInput("TASK", given, f"save it as UTF-8 ({error.reason})") from error

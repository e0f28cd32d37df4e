"""What commands share: the task, from the command line, from standard input, or from a file."""

from thrifty.budget import InvalidInput, validate
from thrifty.budget.plain_text import trim_text
from thrifty.cli.input_file import read_input

TASK_BYTES_MAX = 4 * validate.TEXT_MAX
"""More cannot be a text of the length that is accepted."""


def read_task(given: str) -> str:
    """The text of a task: as given, of standard input for `-`, or of a file for `@file`.

    Raises:
        InvalidInput: there is no text, too much of it, or it cannot be read.
    """
    is_elsewhere = given == "-" or given.startswith("@")
    text = _read_text(given) if is_elsewhere else given
    return trim_text(validate.text("TASK", text))


def _read_text(given: str) -> str:
    try:
        return read_input("TASK", given, given[1:], TASK_BYTES_MAX).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        remedy = f"save it as UTF-8 ({error.reason})"
        if error.end >= TASK_BYTES_MAX - 3:  # cut in the middle of a character: it is too long
            remedy = f"use at most {validate.TEXT_MAX:,} characters"
        raise InvalidInput("TASK", given, remedy) from error

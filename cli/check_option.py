"""What commands share: the command of `--check`, whose exit code says whether an answer passes."""

import shlex

import click

from thrifty.budget import InvalidInput

OPTION = "--check"

check_option = click.option(
    OPTION,
    metavar="COMMAND",
    help="A command that reads the answer and exits with 0 where it passes: 'pytest -q'.",
)


def read_check_option(given: str | None) -> tuple[str, ...]:
    """The words of the command. None without one.

    Raises:
        InvalidInput: it is empty, or a quote is not closed.
    """
    if given is None:
        return ()
    try:
        words = tuple(shlex.split(given))
    except ValueError as error:
        raise InvalidInput(OPTION, given, f"give a command ({error})") from error
    if not words:
        raise InvalidInput(OPTION, given, "give a command, such as 'pytest -q'")
    return words

"""What commands share: the shape of an answer that `--schema` names, a JSON schema in a file."""

from typing import Any

import click

from thrifty.budget import InvalidInput
from thrifty.cli.input_file import parse_json, read_input

SCHEMA_BYTES_MAX = 1_000_000
OPTION = "--schema"

schema_option = click.option(
    OPTION,
    metavar="FILE",
    help="A JSON schema that the answer has to match; --json has it as `structured`.",
)


def read_schema_option(given: str | None) -> dict[str, Any] | None:
    """The schema in a file, checked.

    Raises:
        InvalidInput: it cannot be read, is no JSON, or is no schema of an object.
    """
    if given is None:
        return None
    from thrifty.executors.answer_shape import AnswerShape

    raw = read_input(OPTION, given, given.removeprefix("@"), SCHEMA_BYTES_MAX)
    try:
        schema = parse_json(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(OPTION, given, f"give a JSON schema ({error})") from error
    if not isinstance(schema, dict):
        raise InvalidInput(OPTION, given, "give a JSON schema of an object")
    AnswerShape.of(schema)
    return schema

"""What commands share: input from a file or from standard input, of a size that is bearable."""

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from thrifty.budget import InvalidInput


def read_input(field: str, given: str, path: str, bytes_max: int) -> bytes:
    """The bytes of a file, or of standard input for `-`.

    Args:
        field: what an error calls the input.
        given: the input as the person named it.
        path: the file.
        bytes_max: no more than one byte beyond this is read.

    Raises:
        InvalidInput: the file cannot be read.
    """
    try:
        if given == "-":
            return sys.stdin.buffer.read(bytes_max + 1)
        with Path(path).expanduser().open("rb") as file:
            return file.read(bytes_max + 1)
    except (OSError, ValueError) as error:  # a NUL in a path is a ValueError
        why = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(field, given, f"name a file that can be read ({why})") from error


def parse_json(text: bytes | str) -> Any:
    """Reads JSON, without the `NaN` and the infinities that Python would add to it.

    Raises:
        ValueError: the text is no JSON.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)

"""The JSON of a run, read back as what it is: input from outside."""

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from thrifty.budget import InvalidInput, validate
from thrifty.receipt.receipt_data import Receipt

BYTES_MAX = 50_000_000
REMEDY = "give what `thrifty run --json` printed"


def read_receipt_file(name: str) -> tuple[Receipt, str]:
    """The receipt and the draft in a file, or of standard input for `-`.

    Raises:
        InvalidInput: it cannot be read, or is not what a run printed.
    """
    given = _read_json(name)
    if not isinstance(given, dict) or "receipt" not in given:
        raise InvalidInput("FILE", name, REMEDY)
    return Receipt.from_state(given["receipt"]), validate.any_string(
        "draft", given.get("draft", "")
    )


def _read_json(name: str) -> Any:
    try:
        content = _read_bytes(name)
    except (OSError, ValueError) as error:  # a NUL in a path is a ValueError
        why = getattr(error, "strerror", None) or str(error)
        raise InvalidInput("FILE", name, f"name a file that can be read ({why})") from error
    if len(content) > BYTES_MAX:
        raise InvalidInput("FILE", name, f"{REMEDY}; it is never that large")
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("FILE", name, f"{REMEDY} (it is no JSON)") from error


def _read_bytes(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(BYTES_MAX + 1)
    with Path(name).expanduser().open("rb") as file:
        return file.read(BYTES_MAX + 1)


def _refuse_constant(constant: str) -> NoReturn:
    """`NaN` and the infinities are no JSON, though Python reads them."""
    raise ValueError(constant)

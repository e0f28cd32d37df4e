"""Plain data: what JSON, a checkpoint and a ledger hold without loss."""

import json
import math
from typing import Any

from thrifty.budget import InvalidInput
from thrifty.budget.plain_text import strip_unprintable

DEPTH_MAX = 20
INTEGER_MAX = 2**63 - 1
"""The largest integer a checkpoint holds."""


def plain_json(field: str, value: object, depth: int = DEPTH_MAX) -> Any:
    """A copy of a value of plain data: its texts printable, its tuples lists.

    Args:
        field: what an error calls it.
        value: texts, finite numbers, truth values, None, and lists and mappings of these.
        depth: how deep it may be nested.

    Raises:
        InvalidInput: it is nested too deep, or something in it is none of these.
    """
    if depth == 0:
        raise InvalidInput(field, value, f"nest at most {DEPTH_MAX} levels")
    if isinstance(value, dict):
        return {
            _key(field, key): plain_json(f"{field}.{key}", member, depth - 1)
            for key, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain_json(f"{field}[{i}]", each, depth - 1) for i, each in enumerate(value)]
    if isinstance(value, str):
        return strip_unprintable(value)
    if value is None or isinstance(value, bool):
        return value
    # As plain numbers: a checkpoint takes no enum, and no number of another library.
    if isinstance(value, int) and abs(value) <= INTEGER_MAX:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    raise InvalidInput(field, value, "use text, finite numbers, true or false, lists, mappings")


def json_bytes(value: Any) -> int:
    """How much room plain data takes as JSON."""
    return len(compact_json(value).encode("utf-8", "surrogatepass"))


def compact_json(value: Any) -> str:
    """Plain data as JSON without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _key(field: str, key: object) -> str:
    if not isinstance(key, str):
        raise InvalidInput(field, key, "use texts as keys")
    return strip_unprintable(key)

"""Validates single values on their way in: each returns the value or raises `InvalidInput`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from thrifty.budget.errors import InvalidInput

AMOUNT_MAX = 10**15
"""The largest amount of any resource: a million dollars in nano-USD, and thousands of such
amounts still add up to less than 2^63, the largest integer a database or a checkpoint holds."""

VALUE_MAX = 1_000_000.0
"""The largest estimated value of one option."""

TEXT_MAX = 100_000
"""The longest text accepted for a name, a description or a task, in characters."""


def amount(field: str, value: object, *, minimum: int = 0, maximum: int = AMOUNT_MAX) -> int:
    """A whole number in range, and plain: `True`, `"5"`, `5.0`, NaN and infinity are none."""
    if type(value) is not int or not minimum <= value <= maximum:
        raise InvalidInput(field, value, f"use a whole number from {minimum:,} to {maximum:,}")
    return value


def number(field: str, value: object, *, minimum: float = 0.0, maximum: float = VALUE_MAX) -> float:
    """A finite number in range, whole or not."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # The comparison is false for NaN, and safe for integers too large to become a float.
    if not is_number or not minimum <= value <= maximum:  # type: ignore[operator]
        raise InvalidInput(field, value, f"use a number from {minimum:g} to {maximum:g}")
    return float(value)  # type: ignore[arg-type]


def text(field: str, value: object, *, maximum: int = TEXT_MAX) -> str:
    """A text with something in it."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(field, value, "write some text")
    if len(value) > maximum:
        raise InvalidInput(field, value, f"use at most {maximum:,} characters")
    return value


def any_string(field: str, value: object) -> str:
    """A text, which may be empty."""
    if not isinstance(value, str):
        raise InvalidInput(field, value, "use a text")
    return value


def choice(field: str, value: object, allowed: Collection[str]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in allowed:
        raise InvalidInput(field, value, f"use one of: {', '.join(sorted(allowed))}")
    return value


def instance(field: str, value: object, kind: Any, example: str) -> Any:
    """A value of a class. The example shows how to make one."""
    if not isinstance(value, kind):
        raise InvalidInput(field, value, f"use a {kind.__name__}, as in {example}")
    return value


def members(field: str, value: object, kind: type, example: str) -> None:
    """A sequence of nothing but objects of a class, of which there may be thousands."""
    kinds = {*map(type, instance(field, value, Sequence, f"({example},)"))}
    if not all(issubclass(each, kind) for each in kinds):
        raise InvalidInput(field, value, f"use nothing but a {kind.__name__}, as in {example}")


def record(field: str, value: object, allowed: Collection[str]) -> Mapping[str, Any]:
    """A mapping that has no field but the allowed ones."""
    if not isinstance(value, Mapping):
        raise InvalidInput(field, value, f"use a mapping with any of: {', '.join(allowed)}")
    for name in value:
        if name not in allowed:
            raise InvalidInput(
                f"{field}.{name}", value[name], f"known fields: {', '.join(allowed)}"
            )
    return value


def complete_record(
    field: str, value: object, needed: Iterable[str], more: Iterable[str] = ()
) -> Any:
    """A mapping that has every needed field, and none but those and a few more."""
    needed = tuple(needed)
    given = record(field, value, (*needed, *more))
    for name in needed:
        if name not in given:
            raise InvalidInput(f"{field}.{name}", None, "it is missing; fill it in")
    return given


def sequence(field: str, value: object) -> list[Any]:
    """A list, or the tuple that a list was before a checkpoint."""
    if not isinstance(value, list | tuple):
        raise InvalidInput(field, value, "use a list")
    return list(value)


def strings(field: str, value: object) -> None:
    """A list or tuple of texts. A single text is refused."""
    if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
        raise InvalidInput(field, value, 'use a tuple of texts, as in ("Outline",)')


def time_span(field: str, started_ms: object, ended_ms: object) -> None:
    """A start and an end in that order, or neither."""
    if started_ms is not None or ended_ms is not None:
        amount(f"{field}.ended_ms", ended_ms, minimum=amount(f"{field}.started_ms", started_ms))


def unique_names(field: str, names: Collection[str]) -> None:
    """Refuses a name that occurs twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidInput(field, name, "give each one a name of its own")
        seen.add(name)

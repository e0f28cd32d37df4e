"""Budgets the way people say them: "2k tokens, 5s, $0.02, 2 calls"."""

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction

from thrifty.budget import validate
from thrifty.budget.dollars import NANO_PER_USD
from thrifty.budget.errors import InvalidInput
from thrifty.budget.limits import Budget
from thrifty.budget.resources import COST, LATENCY, RESOURCES, TOKENS, TOOL_CALLS, Resource

PHRASE_MAX = 200
"""A budget has four parts, and nobody needs more characters to write them."""
PHRASE_EXAMPLE = "2k tokens, 5s, $0.02, 2 calls"

_WORDS: Mapping[tuple[Resource, int], str] = {
    (TOKENS, 1): "token tokens tok",
    (COST, NANO_PER_USD): "$ us$ usd dollar dollars",
    (COST, NANO_PER_USD // 100): "¢ c cent cents",
    (LATENCY, 1): "ms msec millisecond milliseconds",
    (LATENCY, 1_000): "s sec secs second seconds",
    (LATENCY, 60_000): "min mins minute minutes",
    (LATENCY, 3_600_000): "h hour hours",
    (TOOL_CALLS, 1): "call calls",
}
UNITS = {word: unit for unit, words in _WORDS.items() for word in words.split()}
"""What each word counts, and how many of a `Spend`'s units make one of it."""
SCALES = {"": 1, "k": 1_000, "m": 1_000_000}

SEPARATOR_PATTERN = re.compile(r"[;\n]|\band\b|,(?!\d{3}(?!\d))|(?<!\d),", re.ASCII)
"""A comma between a digit and just three digits belongs to a number."""
# The scale `m` means a million, but not where "ms" or "min" begins.
LIMIT_PATTERN = re.compile(
    r"(?:max|at most|up to)?\s*"
    r"(?P<before>us\$|\$|usd)?\s*"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)\s*"
    r"(?P<scale>k|m(?!s|i))?\s*"
    r"(?:(?:tool|model|llm)\s+(?=calls?$))?(?P<unit>us\$|[a-z]+|[$¢])?",
    re.ASCII,
)

PERIOD_TAIL_PATTERN = re.compile(
    r".*\d.*?\s*(?P<period>(?:/|\b(?:an?|per|each|every)\b)\s*[a-z]+)", re.ASCII | re.DOTALL
)
"""A limit with what stands for a period behind it, whether there is such a period or not."""


def parse_budget(phrase: object, field: str = "budget") -> Budget:
    """The budget that a person means. What is not named is not limited.

    Args:
        phrase: parts with a comma, a semicolon or "and" between them, each a number and a unit.
        field: what the phrase is called where it was written.

    Raises:
        InvalidInput: a part cannot be understood, or a resource is named twice.
    """
    parts = split_phrase(phrase, field, PHRASE_MAX, PHRASE_EXAMPLE)
    for part in parts:
        if tail := PERIOD_TAIL_PATTERN.fullmatch(part):
            raise InvalidInput(field, part, f"leave out {tail['period']!r}: no period is read here")
    return make_budget(parts, field)


def split_phrase(phrase: object, field: str, maximum: int, example: str) -> list[str]:
    """The parts of a phrase in small letters, at least one.

    Raises:
        InvalidInput: it has no part, or more than `maximum` characters.
    """
    text = validate.text(field, phrase, maximum=maximum)
    # Lower case once, as units and scales stand in the tables in lower case only.
    parts = [part.strip() for part in SEPARATOR_PATTERN.split(text.lower()) if part.strip()]
    if not parts:
        raise InvalidInput(field, phrase, f"write it as in {example!r}")
    return parts


def make_budget(parts: Iterable[str], field: str, example: str = PHRASE_EXAMPLE) -> Budget:
    """The budget of parts that each limit a resource. The example shows how to write them.

    Raises:
        InvalidInput: a part cannot be understood, or a resource is named twice.
    """
    limits: dict[str, int] = {}
    for part in parts:
        resource, limit = _parse_limit(field, part, example)
        if resource.name in limits:
            raise InvalidInput(field, part, f"limit {resource.name} once")
        limits[resource.name] = limit
    return Budget.of_limits(limits.get(resource.name) for resource in RESOURCES)


def _parse_limit(field: str, part: str, example: str) -> tuple[Resource, int]:
    match = LIMIT_PATTERN.fullmatch(part)
    units = [unit for unit in (match["before"], match["unit"]) if unit] if match else []
    if match is None or len(units) != 1 or units[0] not in UNITS:
        raise InvalidInput(field, part, f"write a number and a unit, as in {example!r}")
    resource, size = UNITS[units[0]]
    # A fraction, as a float would make a tenth of a cent a little more or less than one.
    exact = Fraction(match["number"].replace(",", "")) * SCALES[match["scale"] or ""] * size
    if resource is not COST and exact.denominator != 1:
        raise InvalidInput(field, part, "use a whole number of tokens, milliseconds or calls")
    limit = int(exact)  # of money, as everywhere: a limit never grows by rounding
    if limit > validate.AMOUNT_MAX:
        raise InvalidInput(field, part, f"use at most {resource.show(validate.AMOUNT_MAX)}")
    return resource, limit

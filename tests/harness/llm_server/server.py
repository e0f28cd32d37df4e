"""The server: a thread with an event loop of its own, and what a test says to it."""

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from tests.harness.llm_server import tokens
from tests.harness.llm_server.answers import Answer
from tests.harness.llm_server.connection import Connection, House
from tests.harness.llm_server.http import HEAD_BYTES_MAX
from tests.harness.llm_server.journal import Journal, Request
from tests.harness.llm_server.routes import Routes
from tests.harness.llm_server.script import Entry, Script
from tests.harness.llm_server.usage import Bill
from tests.harness.llm_server.wire import Wire

HOST = "127.0.0.1"
STOP_TIMEOUT_S = 60.0


class LLMServer:
    """The APIs of many vendors on loopback, with scripted answers and a true meter.

    Args:
        port: where to listen; 0 is any free port.
        api_key: the only key let in; None lets everybody in.
        models: the only models that there are; None takes any name.
    """

    def __init__(
        self, *, port: int = 0, api_key: str | None = None, models: Sequence[str] | None = None
    ) -> None:
        self._port_wanted = port
        self._port: int | None = None
        routes = Routes(api_key, None if models is None else tuple(models))
        self._house = House(Script(default=Answer()), Journal(), routes)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def script(self, *entries: Entry) -> None:
        """Append entries; each answers one request unless its `times` says otherwise.

        Of the entries that fit a request, one with a `when` goes before one without, and then the
        earliest.
        """
        self._house.script.add(*entries)

    @property
    def default(self) -> Entry:
        """What answers a request that no entry of the script fits."""
        return self._house.script.default

    @default.setter
    def default(self, entry: Entry) -> None:
        self._house.script.default = entry

    @property
    def pending(self) -> tuple[Entry, ...]:
        """The entries of the script that still have a turn."""
        return self._house.script.pending

    @property
    def requests(self) -> tuple[Request, ...]:
        """A snapshot of all requests, in order of arrival."""
        return self._house.journal.requests

    @property
    def bill(self) -> Bill:
        """What a provider would charge for all requests: the truth that ledgers are held to."""
        return self._house.journal.bill

    def wait_for(
        self, count: int = 1, *, ended: bool = False, timeout_s: float = 60.0
    ) -> tuple[Request, ...]:
        """Block until `count` requests have arrived, or have ended, and return all.

        Raises:
            TimeoutError: fewer did in time.
        """
        return self._house.journal.wait_for(count, ended=ended, timeout_s=timeout_s)

    def clear(self) -> None:
        """Forget the script and all requests; the default stays."""
        self._house.script.clear()
        self._house.journal.clear()

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._port is None:
            raise RuntimeError("the server does not run: use `with LLMServer() as server`")
        return self._port

    @property
    def base_url(self) -> str:
        """What a client is given as its base URL."""
        return f"http://{HOST}:{self.port}/v1"

    @property
    def root_url(self) -> str:
        """The same for a client that names the version of the API itself, as Anthropic's does."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> Self:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        if self._thread is not None:
            raise RuntimeError("the server runs already")
        tokens.count("")  # Loads the vocabulary now, so that no request has to wait for it.
        started: Future[int] = Future()
        thread = threading.Thread(target=self._run, args=(started,), name="llm-server", daemon=True)
        thread.start()
        try:
            self._port = started.result()
        except BaseException:
            thread.join()
            raise
        self._thread = thread
        return self

    def stop(self) -> None:
        """Break all connections and end the thread.

        Raises:
            Exception: what went wrong inside, such as an error in a `when` function.
        """
        if self._thread is None:
            return
        assert self._loop is not None
        assert self._stopping is not None
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(STOP_TIMEOUT_S)
        if self._thread.is_alive():
            raise RuntimeError(f"the server did not stop within {STOP_TIMEOUT_S} s")
        self._thread = self._port = None
        if failure := self._house.journal.take_failure():
            raise failure

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"The LLM server failed too: {failure!r}")

    def _run(self, started: "Future[int]") -> None:
        try:
            asyncio.run(self._listen(started))
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _listen(self, started: "Future[int]") -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(
            self._connected, HOST, self._port_wanted, limit=HEAD_BYTES_MAX
        )
        started.set_result(server.sockets[0].getsockname()[1])
        await self._stopping.wait()
        server.close()
        # From Python 3.12 on, wait_closed() waits for the clients too, so they go first.
        clients = asyncio.all_tasks() - {asyncio.current_task()}
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        await server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Only stopping cancels this, and Python 3.11 reports a cancelled client as an error.
        with contextlib.suppress(asyncio.CancelledError):
            await Connection(reader, Wire(writer), self._house).serve()

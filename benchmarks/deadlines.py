"""How late a call is cut, and what it leaves behind, whatever the connection is doing.

    python -m benchmarks.deadlines > benchmarks/deadlines.md

A real server on loopback misbehaves in each way that the tests' server knows; "blocked DNS" is a
`socket.getaddrinfo` that does not return before it is let go, called as asyncio calls it.
"""

import asyncio
import os
import platform
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from langchain_openai import ChatOpenAI

from tests.harness.llm_server import (
    Answer,
    BodyDrip,
    EndlessStream,
    Hang,
    HeaderDrip,
    KeepAlives,
    LLMServer,
)
from thrifty import Budget, MemoryLedger, ModelUnavailable, metered
from thrifty.models.wire.background_loop import background_loop

LIMIT_MS = 500
ROUNDS = 5
SETTLE_S = 5.0
"""How long what was cut may take to be gone: the caller was told long before."""
KEPT_THREADS = ("thrifty-clock", "thrifty-ledger", "thrifty-parser")
"""Those that wait a few seconds for more to do; no call has one for itself."""
BLOCKED_HOST = "a-name-nobody-resolves.test"

FAULTS: dict[str, Callable[[], Any]] = {
    "hang": Hang,
    "header drip": HeaderDrip,
    "body drip": BodyDrip,
    "keep-alives": KeepAlives,
    "endless stream": EndlessStream,
    "blocked DNS": Answer,
}


async def _exhaust(pieces: Any) -> None:
    async for _ in pieces:
        pass


CALL_STYLES: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda model: model.invoke("Hi"),
    "ainvoke": lambda model: asyncio.run(_run_and_check_tasks(model.ainvoke("Hi"))),
    "stream": lambda model: list(model.stream("Hi")),
    "astream": lambda model: asyncio.run(_run_and_check_tasks(_exhaust(model.astream("Hi")))),
}


async def _run_and_check_tasks(call: Any) -> None:
    """Awaits a call, and looks at what it has left in this event loop."""
    with suppress(ModelUnavailable):
        await call
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left


@dataclass(frozen=True)
class Leftovers:
    """What is open in this process."""

    threads: int
    tasks: int
    files: int

    @classmethod
    def count(cls) -> "Leftovers":
        tasks = len(asyncio.all_tasks(background_loop()._loop))
        threads = [t for t in threading.enumerate() if not t.name.startswith(KEPT_THREADS)]
        return cls(len(threads), tasks, len(os.listdir("/proc/self/fd")))  # noqa: PTH208

    def since(self, before: "Leftovers") -> "Leftovers":
        """What there is more of than before."""
        return Leftovers(
            max(0, self.threads - before.threads),
            max(0, self.tasks - before.tasks),
            max(0, self.files - before.files),
        )


@dataclass(frozen=True)
class CutCall:
    """How one call ended."""

    late_ms: float
    """How long after the limit its caller was told; below zero before it."""
    leftovers: Leftovers
    """What it left behind."""
    status: str
    """What became of its reservation."""


def measure_cut(server: LLMServer, fault: str, style: str, api: str = "chat") -> CutCall:
    """One call that cannot end by itself, and what is left of it."""
    server.clear()
    server.script(FAULTS[fault](times=None))
    ledger = MemoryLedger()
    ledger.open("a", Budget(max_tokens=2_000))
    before = Leftovers.count()
    with _block_resolver(blocked=fault == "blocked DNS"):
        host = BLOCKED_HOST if fault == "blocked DNS" else "127.0.0.1"
        model = _make_model(f"http://{host}:{server.port}/v1", api)
        started = time.monotonic()
        held = metered(model, ledger, "a", left_ms=lambda: LIMIT_MS - _elapsed_ms(started))
        with suppress(ModelUnavailable):
            CALL_STYLES[style](held)
        late_ms = _elapsed_ms(started, exact=True) - LIMIT_MS
    return CutCall(late_ms, _wait_for_leftovers(before), ledger.entries("a")[0].status)


def warm_up(server: LLMServer) -> None:
    """Loads, starts and connects what lives as long as the process."""
    ledger = MemoryLedger()
    ledger.open("a", Budget(max_tokens=100_000))
    for api in ("chat", "responses"):
        held = metered(_make_model(server.base_url, api), ledger, "a", max_output_tokens=20)
        for way in CALL_STYLES.values():
            way(held)


def _make_model(base_url: str, api: str) -> ChatOpenAI:
    use_responses = api == "responses"
    return ChatOpenAI(
        model="gpt-4o", base_url=base_url, api_key="none", use_responses_api=use_responses
    )


def _wait_for_leftovers(before: Leftovers) -> Leftovers:
    """What is left once nothing goes away any more."""
    give_up_at = time.monotonic() + SETTLE_S
    while (left := Leftovers.count().since(before)) != Leftovers(
        0, 0, 0
    ) and time.monotonic() < give_up_at:
        time.sleep(0.02)
    return left


def _elapsed_ms(started: float, exact: bool = False) -> Any:
    ms = (time.monotonic() - started) * 1000
    return ms if exact else int(ms)


@contextmanager
def _block_resolver(blocked: bool) -> Iterator[None]:
    """Lets no lookup of the blocked name return, for as long as it lasts."""
    if not blocked:
        yield
        return
    real, let_go = socket.getaddrinfo, threading.Event()

    def look_up(host: Any, *arguments: Any, **hints: Any) -> Any:
        if host in (BLOCKED_HOST, BLOCKED_HOST.encode()):
            let_go.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "the resolver did not answer")
        return real(host, *arguments, **hints)

    socket.getaddrinfo = look_up
    try:
        yield
    finally:
        let_go.set()
        socket.getaddrinfo = real


def main() -> None:
    print(PAGE_HEAD.format(python=platform.python_version(), limit=LIMIT_MS, rounds=ROUNDS))
    with LLMServer() as server:
        warm_up(server)
        for fault in FAULTS:
            for way in CALL_STYLES:
                cuts = [
                    measure_cut(server, fault, way, api)
                    for api in ("chat", "responses")
                    for _ in range(ROUNDS)
                ]
                late = [cut.late_ms for cut in cuts]
                left = [
                    max(getattr(c.leftovers, n) for c in cuts)
                    for n in ("threads", "tasks", "files")
                ]
                told = " + ".join(sorted({cut.status for cut in cuts}))
                print(
                    f"| {fault} | {way} | {statistics.median(late):.0f} | {max(late):.0f} "
                    f"| {left[0]} | {left[1]} | {left[2]} | {told} |",
                    flush=True,
                )
    print(PAGE_FOOT)


PAGE_HEAD = """# How late a call is cut

A call with {limit} ms, at servers that never let it end. Milliseconds from the limit until the
caller has an error, entry included; then threads, tasks of the event loops, and open files (sockets
are files) that are there more than before, once the cut call is gone. {rounds} rounds in each of
the two protocols. Python {python}, two cores that others used too. Remade by:

```
python -m benchmarks.deadlines > benchmarks/deadlines.md
```

| server | way | median ms late | most ms late | threads | tasks | files | its reservation |
|---|---|---:|---:|---:|---:|---:|---|"""

PAGE_FOOT = """
`invoke` does not stream: there the endless stream is a body that never ends. A lookup that is
blocked keeps its one (daemon) thread until the resolver answers, which is what no program can
change; it holds up neither other calls nor the end of the process. The table counts after it did.
All of these are charged in full: a request that left, or may have, can be billed."""


if __name__ == "__main__":
    main()

"""What stands in for threads, timers and process numbers while a simulation runs, and nothing else.

All of it is put in place from outside, so that no line of the agent knows of a simulation:

| in the agent | here |
|---|---|
| `time.monotonic_ns`, the planner's clock | the schedule's clock, which jumps |
| the background loop's thread | the actor that waits for the call runs the loop itself |
| the ledger's threads beside the loop | the same actor, in turn |
| LangGraph's threads | actors |
| `concurrent.futures.wait`, `Future.result` | a pause until it is done |
| the lock of a ledger's outbox | a pause until it is free |
| the number of a process | the name of a simulated one |
| the connections of the client | the provider's `httpx` transport |
| the addresses of OpenAI, where tokens are counted | the provider's too |
| the compiled graph of each agent | one for all agents, as to compile it takes longer than a run |
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import selectors
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from itertools import count
from typing import Any
from unittest.mock import patch
from weakref import WeakKeyDictionary

import httpx
from pydantic import SecretStr

from tests.harness.simulation.actors import Actor, Killed, Process, Schedule
from thrifty.graph.agent import BudgetAgent
from thrifty.graph.build import build
from thrifty.ledger.active_runs import ActiveRuns
from thrifty.ledger.protocol import Ledger
from thrifty.models.roles.chat_clients import ChatClients
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.models.wire.background_loop import (
    BackgroundLoop,
    LoopTask,
    StreamedTask,
    background_loop,
)
from thrifty.models.wire.exchange import note_departure
from thrifty.planning.engines import make_plan
from thrifty.run.services import Services

NANO_PER_S = 1_000_000_000
FOREVER_S = 36_000.0
BASE_URL = "http://provider.invalid/v1"
real_wait = concurrent.futures.wait


class Waited(Future[Any]):
    """A future that an actor waits for by letting others act."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule

    def result(self, timeout: float | None = None) -> Any:
        if not self.done():
            self._schedule.pause(until=self.done)
        return super().result(0)


class Actors:
    """Stands where LangGraph has a pool of threads."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def submit(self, work: Callable[..., Any], *given: Any, **named: Any) -> Future[Any]:
        me, future = self._schedule.actor, Waited(self._schedule)

        def act() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = work(*given, **named)
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
                future.set_exception(error)
            else:
                future.set_result(result)

        # No pause: this is called from within callbacks, which nobody may come between.
        if me.process.is_dead:
            raise Killed
        self._schedule.spawn(f"{me.name}+", me.process, act)
        return future


def _waiting(schedule: Schedule) -> Callable[..., Any]:
    def wait(
        futures: Iterable[Future[Any]], timeout: float | None = None, return_when: str = "ALL"
    ) -> Any:
        awaited = list(futures)
        enough = any if return_when == concurrent.futures.FIRST_COMPLETED else all
        if not enough(future.done() for future in awaited):
            schedule.pause(until=lambda: enough(future.done() for future in awaited))
        return real_wait(awaited, 0)

    return wait


class _Timers(selectors.BaseSelector):
    """An event loop's view of the world: no file, and a clock that jumps."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def register(self, fileobj: Any, events: int, data: Any = None) -> Any:
        return None

    def unregister(self, fileobj: Any) -> Any:
        return None

    def get_map(self) -> Any:
        return {}

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or timeout > 0:
            waits_s = FOREVER_S if timeout is None else timeout
            self._schedule.pause(int(waits_s * NANO_PER_S) + 1)
        return []


class _Loop(asyncio.SelectorEventLoop):
    """Runs in the actor that waits for it, and does in it what others do in threads."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        super().__init__(_Timers(schedule))
        self.set_exception_handler(lambda loop, context: None)  # what a killed process leaves

    def _make_self_pipe(self) -> None:
        """Nobody wakes it from another thread."""

    def _close_self_pipe(self) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def time(self) -> float:
        return self._schedule.now_ns / NANO_PER_S

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever awaits it
            future.set_exception(error)
        return future


class InlineLoop(BackgroundLoop):
    """The background loop without its thread: every errand has a loop in the actor it is for.

    How a call is cut, and how it ends after that, is the real one's.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._is_process_ending = False
        self._ending: set[asyncio.Task[None]] = set()

    def _threads_for(self, ledgers: Any) -> Any:
        return None

    def run(self, errand: LoopTask[Any]) -> Any:
        loop = _Loop(self._schedule)
        try:
            return loop.run_until_complete(_whole(errand))
        finally:
            _close(loop)

    def stream(self, errand: StreamedTask) -> Iterator[Any]:
        pieces: list[Any] = []
        self.run(lambda abandoned: errand(abandoned, pieces.append))
        yield from pieces


async def _whole(errand: LoopTask[Any]) -> Any:
    """An errand, and then the calls that it has cut, until they have really ended."""
    try:
        return await errand(asyncio.Event())
    finally:
        me = asyncio.current_task()
        if cut := [task for task in asyncio.all_tasks() if task is not me]:
            await asyncio.wait(cut)


def _close(loop: _Loop) -> None:
    """Closes a loop with all that a killed process has left in it."""
    closed: set[asyncio.Task[Any]] = set()
    asyncio._set_running_loop(loop)
    try:
        while left := asyncio.all_tasks(loop) - closed:
            for task in left:
                closed.add(task)
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                with suppress(BaseException):
                    task.get_coro().close()  # type: ignore[union-attr]
    finally:
        asyncio._set_running_loop(None)
        loop._ready.clear()  # type: ignore[attr-defined]
        loop._scheduled.clear()  # type: ignore[attr-defined]
        loop.close()


class Line(httpx.AsyncBaseTransport):
    """The one line to the provider of the simulation that runs."""

    answer: Callable[[httpx.Request], Any]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if trace := request.extensions.get("trace"):  # as the real one tells that it writes
            await trace("http11.send_request_headers.started", {"request": request})
        response: httpx.Response = await self.answer(request)
        return response


LINE = Line()


KNOWN_CLIENTS: dict[tuple[str, ...], ChatClients] = {}
"""Clients are the same in every simulation, and take long to make."""


def _clients(roles: ModelRoles) -> ChatClients:
    known_by = *roles.names, *(role.api for role in roles)
    return KNOWN_CLIENTS.setdefault(known_by, ChatClients(roles))


@cache
def _connections() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=LINE, event_hooks={"request": [note_departure]})


class SyncLine(httpx.BaseTransport):
    """The same line, for a client of somebody else's that waits in its own thread."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = background_loop().run(lambda _: LINE.answer(request))
        return response


@cache
def own_client(model: str) -> Any:
    """A chat model of somebody else's, which knows nothing of budgets."""
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(
        model=model,
        api_key=SecretStr("sk-simulated"),
        base_url=BASE_URL,
        max_retries=0,
        http_client=httpx.Client(transport=SyncLine()),
        http_async_client=_connections(),
    )


class ActorLock:
    """A lock that an actor waits for by letting others act, and can take twice."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._holder: Actor | None = None
        self._times = 0

    def __enter__(self) -> None:
        me = self._schedule.actor
        if self._holder not in (None, me):
            self._schedule.pause(until=lambda: self._holder is None)
        self._holder = me
        self._times += 1

    def __exit__(self, *_: object) -> None:
        self._times -= 1
        if not self._times:
            self._holder = None


class _Services:
    """The services of the agent that is driven here, for the nodes of the one compiled graph."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_services.get(), name)


_services: ContextVar[Services] = ContextVar("simulated_services")


@cache
def _compiled() -> Any:
    whole: Any = build(_Services())  # type: ignore[arg-type]
    return whole.compile(name="thrifty")


class _Ready:
    """Stands where `build` returns a graph that is yet to be compiled."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def compile(self, **given: Any) -> Any:
        with _serving(self._services):  # it is built with the roles that there are
            copied = _compiled().copy(given)
        _made[self._services.runs] = self._services
        return copied


_made: WeakKeyDictionary[ActiveRuns, Services] = WeakKeyDictionary()


@contextmanager
def served(agent: BudgetAgent) -> Iterator[None]:
    """Lets the nodes work with the services of this agent, for as long as it is driven."""
    with _serving(_made[agent.services.runs]):
        yield


@contextmanager
def _serving(services: Services) -> Iterator[None]:
    token = _services.set(services)
    try:
        yield
    finally:
        _services.reset(token)


@contextmanager
def in_place(
    schedule: Schedule, processes: dict[str, Process], answer: Callable[[httpx.Request], Any]
) -> Iterator[None]:
    """Puts all stand-ins in place."""
    numbers = count(1)
    loop = InlineLoop(schedule)
    LINE.answer = answer  # type: ignore[method-assign]

    def process_of_actor() -> str:
        return schedule.running.process.name if schedule.running else "outside"

    def new_owner() -> str:
        return f"{process_of_actor()} #{next(numbers)}"

    def is_gone(owner: str) -> bool:
        process = processes.get(owner.partition(" #")[0])
        return process is not None and process.is_near and process.seems_gone

    @contextmanager
    def pool(config: Any) -> Iterator[Actors]:
        yield Actors(schedule)

    def runs_at_work(ledger: Ledger) -> ActiveRuns:
        return ActiveRuns(ledger, lambda: schedule.now_ns)

    with ExitStack() as stack:
        for name, stand_in in {
            "time.monotonic_ns": lambda: schedule.now_ns,
            "thrifty.budget.active_clock.ActiveClock.look": lambda clock: None,
            "concurrent.futures.wait": _waiting(schedule),
            "thrifty.models.wire.background_loop._loop_of": lambda pid: loop,
            "thrifty.models.providers.openai_likes.connections": _connections,
            "thrifty.models.roles.agent_models.ChatClients": _clients,
            "thrifty.models.costs.input_bound.OPENAI_HOSTS": (".provider.invalid",),
            "thrifty.graph.build.ActiveRuns": runs_at_work,
            "thrifty.graph.build.build": _Ready,
            "thrifty.graph.agent.new_owner_name": new_owner,
            "thrifty.ledger.active_runs.process_name": process_of_actor,
            "thrifty.ledger.owner.is_owner_gone": is_gone,
            "thrifty.ledger.sweep.is_owner_gone": is_gone,
            "thrifty.ledger.base_ledger.process_name": process_of_actor,
            "thrifty.ledger.grants.process_name": process_of_actor,
            "thrifty.ledger.outbox.RLock": lambda: ActorLock(schedule),
            # Simulated processes end as the dice say, and not with this one.
            "thrifty.ledger.base_ledger.register_exit_aware": lambda member, stage: None,
            "thrifty.ledger.active_runs.register_exit_aware": lambda member, stage: None,
            "langgraph.pregel._executor.get_executor_for_config": pool,
        }.items():
            stack.enter_context(patch(name, stand_in))
        # The planner's clock, too: no plan may depend on how fast this machine is.
        planners_clock = {"clock_ns": lambda: schedule.now_ns}
        stack.enter_context(patch.dict(make_plan.__kwdefaults__, planners_clock))
        yield


def monotonic_is_simulated(schedule: Schedule) -> bool:
    """Whether the clock that the agent reads is the schedule's."""
    return time.monotonic_ns() == schedule.now_ns

"""Many threads of which exactly one runs, in an order and at times that dice decide.

Whoever runs is an *actor*. It goes on until it pauses; then the dice choose who of those that are
ready goes on. When nobody is, the clock jumps to the moment at which somebody will be. So a day
takes no time, and the same dice give the same run, thread for thread.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from random import Random
from threading import Lock, Thread
from typing import Any

BEGIN_NS = 1_000_000_000_000
SWITCHES_MAX = 60_000
"""A simulation that goes on for longer than this turns in a circle."""


class Killed(BaseException):
    """The process of this actor is gone: nothing that it does has any effect from here on."""


class Stuck(Exception):
    """Nobody can go on, or nobody ever ends."""


@dataclass(eq=False)
class Process:
    """A simulated process: what dies together, and what a name on a lease stands for."""

    name: str
    is_near: bool = True
    """Whether the others can see it die, as on one machine; else a person has to say so."""
    is_dead: bool = False
    is_given_up: bool = False
    """Whether the others believe that it is gone, though it may only be asleep."""
    asleep_until_ns: int = 0

    @property
    def seems_gone(self) -> bool:
        """What the others think of it."""
        return self.is_dead or self.is_given_up


@dataclass(eq=False)
class Actor:
    """One thread of the simulation."""

    name: str
    process: Process
    work: Callable[[], Any]
    wake_ns: int
    waits_for: Callable[[], bool] | None = None
    is_done: bool = False
    worker: _Worker | None = None


class Schedule:
    """Who runs now, and what time it is.

    Args:
        dice: decide who goes on, where several could.
    """

    def __init__(self, dice: Random) -> None:
        self.now_ns = BEGIN_NS
        self.switches = 0
        self._dice = dice
        self._actors: list[Actor] = []
        self.running: Actor | None = None
        self._main = Lock()
        self._main.acquire()
        self._failure: BaseException | None = None

    def spawn(self, name: str, process: Process, work: Callable[[], Any]) -> Actor:
        """Adds an actor, whose turn comes later."""
        actor = Actor(name, process, work, self.now_ns)
        self._actors.append(actor)
        return actor

    def run(self) -> None:
        """Lets everybody act until all are done.

        Raises:
            Stuck: nobody could go on.
            BaseException: what an actor has raised.
        """
        if (first := self._next()) is not None:
            self._hand_over(first)
            self._main.acquire()
        if self._failure is not None:
            raise self._failure

    def pause(self, for_ns: int = 0, until: Callable[[], bool] | None = None) -> None:
        """Lets others act, for a while or until something holds.

        Raises:
            Killed: this actor's process is gone.
        """
        actor = self.actor
        if actor.process.is_dead:
            raise Killed
        actor.wake_ns, actor.waits_for = self.now_ns + for_ns, until
        self._give_way(actor)
        actor.waits_for = None
        if actor.process.is_dead:
            raise Killed

    @property
    def actor(self) -> Actor:
        """Who runs now."""
        assert self.running is not None, "nobody runs outside of `run`"
        return self.running

    def _give_way(self, actor: Actor) -> None:
        chosen = self._next()
        if chosen is actor:
            return
        assert actor.worker is not None
        if chosen is None:
            self._main.release()
        else:
            self._hand_over(chosen)
        actor.worker.turn.acquire()

    def _hand_over(self, actor: Actor) -> None:
        self.running = actor
        if actor.worker is None:
            actor.worker = _idle.pop() if _idle else _Worker()
            actor.worker.begin(self, actor)
        actor.worker.turn.release()

    def ended(self, actor: Actor) -> None:
        """Goes on with another, after the work of one."""
        actor.is_done = True
        self._actors.remove(actor)
        chosen = self._next()
        if chosen is None:
            self._main.release()
        else:
            self._hand_over(chosen)

    def _next(self) -> Actor | None:
        """Who goes on; None when all are done, or everything has to be given up."""
        if not self._actors:
            return None
        self.switches += 1
        if self.switches > SWITCHES_MAX:
            self._give_up("it goes on and on")
        while not (ready := [each for each in self._actors if self._is_ready(each)]):
            later = [wakes for each in self._actors if (wakes := self._wakes_ns(each)) is not None]
            if not later:
                self._give_up("everybody waits for somebody else")
            else:
                self.now_ns = min(later)
        chosen = ready[0] if len(ready) == 1 else ready[self._dice.randrange(len(ready))]
        self.running = chosen
        return chosen

    def _is_ready(self, actor: Actor) -> bool:
        if actor.process.is_dead:
            return True
        if max(actor.wake_ns, actor.process.asleep_until_ns) > self.now_ns:
            return False
        return actor.waits_for is None or actor.waits_for()

    def _wakes_ns(self, actor: Actor) -> int | None:
        """When it will be ready by itself; None where it waits for somebody."""
        wakes_ns = max(actor.wake_ns, actor.process.asleep_until_ns)
        return wakes_ns if wakes_ns > self.now_ns else None

    def _give_up(self, why: str) -> None:
        """Lets every process die, so that all threads come to an end."""
        waiting = ", ".join(each.name for each in self._actors)
        self.failed(Stuck(f"{why}: {waiting}"))
        self.switches = 0

    def failed(self, error: BaseException) -> None:
        """Ends everything with what an actor could not handle."""
        self._failure = self._failure or error
        self.kill_all()

    def kill_all(self) -> None:
        """Ends everybody who is there."""
        for each in self._actors:
            each.process.is_dead = True


class _Worker:
    """A thread that lends itself to one actor after another."""

    def __init__(self) -> None:
        self.turn = Lock()
        self.turn.acquire()
        self._schedule: Schedule | None = None
        self._actor: Actor | None = None
        Thread(target=self._lend, name="simulated", daemon=True).start()

    def begin(self, schedule: Schedule, actor: Actor) -> None:
        self._schedule, self._actor = schedule, actor

    def _lend(self) -> None:
        while True:
            self.turn.acquire()
            schedule, actor = self._schedule, self._actor
            assert schedule is not None
            assert actor is not None
            self._schedule = self._actor = None
            Context().run(_act, schedule, actor)
            _idle.append(self)
            schedule.ended(actor)
            del schedule, actor


def _act(schedule: Schedule, actor: Actor) -> None:
    if actor.process.is_dead:
        return
    try:
        actor.work()
    except Killed:
        pass
    except BaseException as error:  # noqa: BLE001 - raised again where all was started
        schedule.failed(error)


_idle: list[_Worker] = []

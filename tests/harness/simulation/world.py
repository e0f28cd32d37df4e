"""Everything that one seed decides, and the events in which it happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

from tests.harness.simulation.actors import BEGIN_NS, Actor, Killed, Process, Schedule
from tests.harness.simulation.asked import Place
from tests.harness.simulation.audit import Audit
from tests.harness.simulation.books import Books
from tests.harness.simulation.provider import Manner, Provider
from tests.harness.simulation.saver import SimulatedSaver
from tests.harness.simulation.stand_ins import in_place

NANO_PER_MS = 1_000_000
NANO_PER_S = 1_000_000_000
PAUSES_MS = (0, 0, 0, 0.2, 1, 5)
"""How long an event may take."""
MIDNIGHTS_MS = (1_793_487_600_000, 1_792_879_200_000, 1_806_188_400_000, 1_798_758_000_000)
"""Of Berlin: a month begins, a day of 25 hours, one of 23, and a year."""
ROUGH_S = 600
"""Nothing goes wrong by itself any more after this, so that everything comes to an end."""


@dataclass(frozen=True)
class Weather:
    """How likely it is, at an event, that something goes wrong; each seed has some of it."""

    kill: float
    sleep: float
    disk: float
    checkpoint: float
    is_near: float
    """How likely it is that others can see for themselves that a process is gone."""

    @classmethod
    def drawn(cls, dice: Random, is_calm: bool) -> Weather:
        def some(odds: float, *rates: float) -> float:
            return dice.choice(rates) if dice.random() < odds and not is_calm else 0.0

        return cls(
            kill=some(0.6, 0.003, 0.01, 0.03),
            sleep=some(0.3, 0.002, 0.01),
            disk=some(0.4, 0.01, 0.04),
            checkpoint=some(0.4, 0.01, 0.04),
            is_near=dice.choice((0.0, 0.7, 1.0)),
        )


class World:
    """One simulation: its clock, its processes, its books, its provider.

    Args:
        seed: decides everything.
        folder: where the ledger's file is, in those worlds whose ledger is one.
    """

    def __init__(self, seed: int, folder: Path | None = None) -> None:
        self.seed = seed
        dice = Random(f"{seed} world")
        is_calm = dice.random() < 0.1
        self.weather = Weather.drawn(dice, is_calm)
        self.schedule = Schedule(Random(f"{seed} turns"))
        self._accidents = Random(f"{seed} accidents")
        is_in_file = Random(f"{seed} file").random() < 0.1  # the same world without a folder
        file = folder / f"{seed}.sqlite" if folder and is_in_file else None
        self.books = Books(self, file, self.weather.disk)
        self.saver = SimulatedSaver(self, self.weather.checkpoint)
        self.audit = Audit(self)
        self.provider = Provider(self, Random(f"{seed} provider"), Manner.drawn(dice, is_calm))
        self._wall_ms = dice.choice(MIDNIGHTS_MS) - dice.choice((2, 20, 200, 40_000)) * 1_000
        self.processes: dict[str, Process] = {}
        self._numbers = count(1)
        self.outside = Process("outside")
        self.last_sent: dict[Actor, Place] = {}
        self.failures: dict[Process, int] = {}
        self.has_begun = False
        """Whether its accounts are there; nothing goes wrong before."""
        self.kills = self.sleeps = 0
        self.breaches: list[str] = []
        self.events: list[tuple[int, str, str]] = []

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Lets the agents of this process live in this world."""
        with in_place(self.schedule, self.processes, self.provider.answer):
            yield
        self.books.close()

    @property
    def wall_ms(self) -> int:
        """What the clock of the machine shows, in milliseconds since 1970."""
        return self._wall_ms + (self.schedule.now_ns - BEGIN_NS) // NANO_PER_MS

    def step_clock(self) -> None:
        """Puts that clock forward or back."""
        by_ms = self._accidents.choice((-70_000, -4_000, -1, 1, 9_000, 3_700_000))
        self._wall_ms += by_ms
        self.trace(f"the clock is put by {by_ms} ms")

    @property
    def is_rough(self) -> bool:
        """Whether things still go wrong by themselves."""
        return self.schedule.now_ns - BEGIN_NS < ROUGH_S * NANO_PER_S

    def a_process(self) -> Process:
        """One that others have not given up: one that is there, or a new one."""
        alive = [each for each in self.processes.values() if not each.seems_gone]
        if alive and (len(alive) > 2 or self._accidents.random() < 0.6):
            return self._accidents.choice(alive)
        is_near = self._accidents.random() < self.weather.is_near
        process = Process(f"p{next(self._numbers)}", is_near)
        self.processes[process.name] = process
        return process

    def chance(self, odds: float) -> bool:
        """Whether something goes wrong now."""
        return bool(odds) and self.has_begun and self.is_rough and self._accidents.random() < odds

    def reach(self, what: str) -> None:
        """An event: others may act now, and the process that comes here may die.

        Raises:
            Killed: it is dead.
        """
        process = self.schedule.actor.process
        if process.is_dead:
            raise Killed
        if what:
            self.trace(what)
        if process is not self.outside:
            self._accident(process)
        self.schedule.pause(int(self._accidents.choice(PAUSES_MS) * NANO_PER_MS))

    def reach_quietly(self) -> None:
        """What is no event, but nothing that the dead can do.

        Raises:
            Killed: its process is dead.
        """
        if self.schedule.actor.process.is_dead:
            raise Killed

    def _accident(self, process: Process) -> None:
        if self.chance(self.weather.kill):
            process.is_dead = True
            self.kills += 1
            self.trace(f"{process.name} IS KILLED")
            raise Killed
        if not process.is_given_up and self.chance(self.weather.sleep):
            process.is_given_up = True
            self.sleeps += 1
            asleep_ns = self._accidents.choice((1, 30, 300)) * NANO_PER_S
            process.asleep_until_ns = self.schedule.now_ns + asleep_ns
            self.trace(f"{process.name} FALLS ASLEEP, and is given up")

    def fail(self, what: str) -> None:
        """Takes note of something that failed on purpose."""
        process = self.schedule.actor.process
        self.failures[process] = self.failures.get(process, 0) + 1
        self.trace(what.upper())

    def breached(self, what: str) -> None:
        """Takes note of a promise that was not kept, and lets everything end."""
        self.breaches.append(what)
        self.trace(f"BREACH: {what}")
        self.schedule.kill_all()

    def trace(self, what: str) -> None:
        """Writes a line of what happened."""
        running = self.schedule.running
        name = f"{running.process.name} {running.name}" if running else ""
        self.events.append((self.schedule.now_ns - BEGIN_NS, name, what))

    def story(self) -> Iterator[str]:
        """What happened, for a person."""
        for at_ns, name, what in self.events:
            yield f"{at_ns / NANO_PER_S:10.4f} s  {name:<22} {what}"

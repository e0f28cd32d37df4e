"""One seed: builds its world, lets everybody act, and tells what was not kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.harness.simulation.audit import Breach
from tests.harness.simulation.client import Client
from tests.harness.simulation.jobs import jobs, open_shared, operate
from tests.harness.simulation.world import World
from thrifty.models.costs.output_lengths import output_lengths


@dataclass(frozen=True)
class Told:
    """What came of a simulation."""

    seed: int
    breaches: tuple[str, ...]
    events: int
    requests: int
    kills: int
    sleeps: int
    seconds: float
    """How long it was, on its own clock."""
    digest: str
    """Of all that happened: two simulations with the same one were the same."""
    story: tuple[str, ...] = ()


def simulate(seed: int, folder: Path | None = None, *, tells: bool = False) -> Told:
    """Runs the simulation of one seed.

    Args:
        seed: decides everything.
        folder: for a ledger in a file; without it, no world has one.
        tells: whether the whole story is wanted.
    """
    output_lengths.clear()  # else what one world has learned would change the next one
    world = World(seed, folder)
    dice = Random(f"{seed} jobs")
    given = jobs(dice)

    def begin() -> None:
        open_shared(world, dice, given)
        world.has_begun = True
        operator = Random(f"{seed} operator")
        world.schedule.spawn("operator", world.outside, lambda: operate(world, operator, given))
        for job in given:
            client = Client(world, job, Random(f"{seed} {job.name}"))
            world.schedule.spawn(f"client of {job.name}", world.outside, client.live)

    with world.in_place():
        world.schedule.spawn("start", world.outside, begin)
        try:
            world.schedule.run()
            world.audit.look_at_all()
        except Breach:
            pass  # it is written down where it was found
        except Exception as error:  # noqa: BLE001 - it is told with its seed
            world.breaches.append(f"{type(error).__name__}: {error}")
    return _told(world, tells)


def _told(world: World, tells: bool) -> Told:
    story = "\n".join(f"{at} {who} {what}" for at, who, what in world.events)
    return Told(
        world.seed,
        tuple(world.breaches),
        len(world.events),
        len(world.audit.asked),
        world.kills,
        world.sleeps,
        world.schedule.now_ns / 1e9 - 1_000,
        hashlib.sha256(story.encode()).hexdigest()[:16],
        tuple(world.story()) if tells else (),
    )

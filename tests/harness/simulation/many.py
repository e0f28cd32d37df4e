"""Many seeds, over several processes, and what came of them together."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter

from tests.harness.simulation.simulate import Told, simulate

CHUNK = 10
SEEDS = Path(__file__).with_name("seeds.txt")


def kept_seeds() -> list[int]:
    """The seeds that once found something."""
    lines = SEEDS.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


@contextmanager
def told_of(seeds: Iterable[int], processes: int) -> Iterator[Iterator[Told]]:
    """What came of each seed, in their order, as it is known.

    Each is run once, as a second world of the same seed would find the books of the first.
    """
    once = dict.fromkeys(seeds)
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads' locks
    with (
        tempfile.TemporaryDirectory(prefix="thrifty-simulation-") as folder,
        context.Pool(processes, _begin) as pool,
    ):
        yield pool.imap(partial(simulate, folder=Path(folder)), once, CHUNK)


def _begin() -> None:
    """Readies a process: strict checkpoints, no key, and no talk of what fails on purpose."""
    os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
    os.environ["LANGSMITH_TRACING"] = "false"
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "THRIFTY_"))]:
        del os.environ[name]
    logging.disable(logging.CRITICAL)
    simulate(0)  # loads everything once
    gc.freeze()


class Sum:
    """What many simulations came to."""

    def __init__(self) -> None:
        self.seeds = self.events = self.requests = self.kills = self.sleeps = 0
        self.bad: list[Told] = []
        self._began_s = perf_counter()

    def add(self, told: Told) -> None:
        """Counts one more."""
        self.seeds += 1
        self.events += told.events
        self.requests += told.requests
        self.kills += told.kills
        self.sleeps += told.sleeps
        if told.breaches:
            self.bad.append(told)

    def __str__(self) -> str:
        took_s = perf_counter() - self._began_s
        return (
            f"{self.seeds:,} seeds, {self.events:,} events, {self.requests:,} requests, "
            f"{self.kills:,} kills, {self.sleeps:,} sleeps, {len(self.bad)} failed, {took_s:,.0f} s"
        )


def failures(told: Iterable[Told]) -> str:
    """Each seed that failed, with the line that shows it."""
    return "\n".join(
        f"python -m tests.harness.simulation --seed {each.seed}   {each.breaches[0]}"
        for each in told
    )

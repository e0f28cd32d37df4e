"""Compares policies of spending, from the tutorial's static plan to all of thrifty.

    python -m benchmarks.policies [--worlds 30] [--runs 8] [--seed 0]

A cell is the value that was reached, as a share of the most that somebody could have reached who
knew every bill beforehand, and the share of runs that spent more than their budget. The last two
columns are mean leads over the worlds, with their standard errors.
"""

import argparse
from collections.abc import Callable, Sequence
from math import sqrt
from statistics import mean, stdev

from langgraph.store.memory import InMemoryStore

from benchmarks.policies.agent_policy import AgentPolicy
from benchmarks.policies.drifting_world import WorldRun, make_runs
from benchmarks.policies.simple_policies import (
    PolicyResult,
    run_static_plan,
    run_until_over,
    run_with_replans,
)

NOISES = (0.2, 0.4, 0.6, 0.8)
Policy = Callable[[Sequence[WorldRun]], list[PolicyResult]]
Worlds = Sequence[Sequence[WorldRun]]
PolicyResults = Sequence[Sequence[PolicyResult]]


def run_each(policy: Callable[[WorldRun], PolicyResult]) -> Policy:
    """A policy that learns nothing from one run for the next."""
    return lambda runs: [policy(run) for run in runs]


def thrifty_policy(*, learns: bool) -> Policy:
    """The agent; where it learns, its store begins empty in each world."""

    def do(runs: Sequence[WorldRun]) -> list[PolicyResult]:
        agent = AgentPolicy(runs, store=InMemoryStore() if learns else None)
        return [agent.run(run) for run in runs]

    return do


POLICIES: dict[str, Policy] = {
    "static": run_each(run_static_plan),
    "halt": run_each(run_until_over),
    "replan": run_each(run_with_replans),
    "thrifty, not learning": thrifty_policy(learns=False),
    "thrifty": thrifty_policy(learns=True),
}

BASELINES = ("replan", "thrifty, not learning")
"""Whom the last policy is compared with."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=30)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0, help="of the first world")
    parser.add_argument("--only", nargs="*", default=list(POLICIES))
    given = parser.parse_args()
    print("| noise | " + " | ".join([*given.only, "thrifty ahead of replan", "by learning"]) + " |")
    print("|---|" + "---|" * (len(given.only) + 2))
    for noise in NOISES:
        worlds = [
            make_runs(seed, noise, given.runs)
            for seed in range(given.seed, given.seed + given.worlds)
        ]
        results = {name: [POLICIES[name](runs) for runs in worlds] for name in given.only}
        cells = [_format_cell(results[name], worlds) for name in given.only]
        leads = [_format_lead(results, worlds, "thrifty", other) for other in BASELINES]
        print(f"| {noise:g} | " + " | ".join([*cells, *leads]) + " |", flush=True)


def _format_cell(results: PolicyResults, worlds: Worlds) -> str:
    """The share of hindsight's value, and the share of runs that were over."""
    value = sum(result.value for world in results for result in world)
    over = mean(result.is_over for world in results for result in world)
    return f"{value / sum(map(_hindsight_value, worlds)):.3f} / {over:.0%}"


def _format_lead(results: dict[str, PolicyResults], worlds: Worlds, ahead: str, behind: str) -> str:
    """By how much one policy is ahead in a world on average, with its standard error."""
    if not {ahead, behind} <= results.keys():
        return ""
    leads = [
        sum(one.value - other.value for one, other in zip(ours, theirs, strict=True))
        / _hindsight_value(runs)
        for ours, theirs, runs in zip(results[ahead], results[behind], worlds, strict=True)
    ]
    return f"{mean(leads):+.3f} ± {stdev(leads) / sqrt(len(leads)):.3f}"


def _hindsight_value(runs: Sequence[WorldRun]) -> float:
    return sum(run.hindsight for run in runs)


if __name__ == "__main__":
    main()

"""The promises, in two thousand worlds in which everything goes wrong that can."""

import json
import os
import subprocess
import sys

import pytest

from tests.harness.simulation.many import Sum, failures, kept_seeds, told_of

SEEDS = 2_000
PROCESSES = 2
ALIKE = (2, 15, 33, 61)
"""Seeds with kills, sleeps, shared accounts and code of others among them."""
DIGESTS = """
import json, logging
from tests.harness.simulation.simulate import simulate
logging.disable(logging.CRITICAL)
print(json.dumps([simulate(seed).digest for seed in {seeds}]))
"""


@pytest.mark.timeout(900)
def test_every_promise_is_kept_in_every_world():
    counted = Sum()
    with told_of([*kept_seeds(), *range(1, SEEDS + 1)], PROCESSES) as tellings:
        for told in tellings:
            counted.add(told)
    print(counted)
    assert not counted.bad, f"\n{failures(counted.bad)}"
    # A simulation in which nothing happens keeps every promise.
    assert counted.requests > 2 * SEEDS
    assert counted.kills > SEEDS // 10
    assert counted.sleeps > SEEDS // 20


def test_the_same_seed_is_the_same_story_in_any_process():
    """Whatever order sets have there, so that a seed is all that has to be told of a fault."""
    first, second = (_digests(hash_seed) for hash_seed in ("1", "2"))
    assert first == second
    assert len(set(first)) == len(ALIKE)


def _digests(hash_seed: str) -> list[str]:
    environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", DIGESTS.format(seeds=ALIKE)]
    run = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    digests: list[str] = json.loads(run.stdout)
    return digests

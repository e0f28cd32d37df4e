"""The promises, in worlds in which everything goes wrong that can.

A hundred of them in `python -m tests`, all with `--long`.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.harness.simulation.many import Sum, failures, kept_seeds
from tests.harness.simulation.simulate import simulate
from tests.long_cases import long_but

SEEDS = 500
BLOCK = 100
"""Seeds of one test, so that several processes share them."""
ALIKE = (2, 15, 33, 61)
"""Seeds with kills, sleeps, shared accounts and code of others among them."""
DIGESTS = """
import json, logging
from tests.harness.simulation.simulate import simulate
logging.disable(logging.CRITICAL)
print(json.dumps([simulate(seed).digest for seed in {seeds}]))
"""


@pytest.mark.timeout(1800)  # against one that hangs; it takes six seconds
@pytest.mark.parametrize("first", long_but(range(1, SEEDS + 1, BLOCK), 1))
def test_every_promise_is_kept_in_every_world(first, tmp_path):
    counted = Sum()
    for seed in range(first, first + BLOCK):
        counted.add(simulate(seed, tmp_path))
    print(counted)
    assert not counted.bad, f"\n{failures(counted.bad)}"
    # A simulation in which nothing happens keeps every promise.
    assert counted.requests > 2 * BLOCK
    assert counted.kills > BLOCK // 10
    assert counted.sleeps > BLOCK // 20


@pytest.mark.parametrize("seed", kept_seeds())
def test_every_world_that_once_broke_a_promise_keeps_it(seed, tmp_path):
    told = simulate(seed, tmp_path)
    assert not told.breaches, failures([told])


@pytest.mark.long
@pytest.mark.timeout(1800)  # against one that hangs; it takes seven seconds
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

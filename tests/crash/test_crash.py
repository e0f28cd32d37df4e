"""Promise 2, at every point of a run: nothing lost, nothing twice, whenever it is killed.

Here at some of the points; `python -m tests.crash` kills at all of them.
"""

import random

import pytest

from tests.crash.matrix import SHAPES, Scenario, in_files, in_schemas, nursery
from tests.llm_server import LLMServer

STEP = 61
"""Every 61st point, from a different one for each kind of run."""


@pytest.fixture(scope="module")
def lives():
    with nursery() as running:
        yield running


@pytest.fixture(scope="module")
def server():
    with LLMServer() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def places(request, tmp_path):
    """Gives empty databases, as many as are asked for."""
    if request.param == "sqlite":
        return in_files(tmp_path)
    return in_schemas(request.getfixturevalue("postgres"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("durability", ["sync", "async"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_that_is_killed_and_resumed_keeps_its_promises(
    shape, durability, places, lives, server
):
    scenario = Scenario(shape, durability, places)
    first = random.Random(f"{shape} {durability}").randrange(1, STEP + 1)
    points = scenario.points(lives, server)
    for kill_at in range(first, points + 1, STEP):
        assert not scenario.killed_at([kill_at], lives, server), f"killed at {kill_at} of {points}"

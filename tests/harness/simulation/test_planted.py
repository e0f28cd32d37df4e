"""The simulation bites: faults that are planted in the agent are found, and soon."""

import pytest

from tests.harness.simulation.planted import FAULTS, planted
from tests.harness.simulation.simulate import simulate
from tests.long_cases import long_but

SEEDS = 100
AT_ONCE = ("any usage is believed",)


@pytest.mark.parametrize("fault", long_but(FAULTS, *AT_ONCE))
def test_a_planted_fault_is_found(fault):
    with planted(fault):
        found = next((told for told in map(simulate, range(1, SEEDS + 1)) if told.breaches), None)
    assert found, f"{SEEDS} seeds, and nobody has noticed that {fault}"


@pytest.mark.parametrize("seed", [1, 3])
def test_without_it_nothing_is_found(seed):
    assert not simulate(seed).breaches

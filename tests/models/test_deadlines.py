"""Whatever the connection does, a call ends at its deadline and leaves nothing behind."""

import pytest

from benchmarks.deadlines import FAULTS, LIMIT_MS, WAYS, Left, measure, warm_up
from tests.harness.llm_server import LLMServer

LATE_MS_MAX = 10_000
"""Wide, since tests share their machine: none of the faults ever ends by itself. The benchmark's
table has the figures."""


@pytest.fixture(scope="module")
def warm_server():
    with LLMServer() as running:
        warm_up(running)
        yield running


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_is_cut_charged_and_gone(warm_server, fault, way, monkeypatch):
    monkeypatch.setattr("benchmarks.deadlines.SETTLE_S", 60)
    cut = measure(warm_server, fault, way)
    assert -LIMIT_MS / 2 < cut.late_ms < LATE_MS_MAX
    assert cut.left == Left(0, 0, 0)
    assert cut.status == "in_doubt"

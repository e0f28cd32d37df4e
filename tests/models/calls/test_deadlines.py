"""Whatever the connection does, a call ends at its deadline and leaves nothing behind."""

import pytest

from benchmarks.deadlines import CALL_STYLES, FAULTS, LIMIT_MS, Leftovers, measure_cut, warm_up
from tests.harness.llm_server import LLMServer
from tests.harness.lost_time import lost_time
from tests.long_cases import long_but

LATE_MS_MAX = 1_500
"""Beside what others on the machine take; the benchmark's table has the figures."""


@pytest.fixture(scope="module")
def warm_server():
    with LLMServer() as running:
        warm_up(running)
        yield running


@pytest.mark.parametrize("way", long_but(CALL_STYLES, "invoke", "astream"))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_is_cut_charged_and_gone(warm_server, fault, way, monkeypatch):
    monkeypatch.setattr("benchmarks.deadlines.SETTLE_S", 60)
    with lost_time() as lost:
        cut = measure_cut(warm_server, fault, way)
        lost_ms = lost.ms
    assert -LIMIT_MS / 2 < cut.late_ms < LATE_MS_MAX + lost_ms
    assert cut.leftovers == Leftovers(0, 0, 0)
    # A name that nobody resolves has been sent nothing.
    assert cut.status == ("released" if fault == "blocked DNS" else "in_doubt")

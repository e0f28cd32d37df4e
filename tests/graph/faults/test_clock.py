"""A system clock that jumps by an hour, or stands still: nobody wins time by it."""

import time
from itertools import cycle

import pytest

from tests.graph.conftest import receipt_of
from tests.graph.faults.conftest import answer, catalog

HOUR_NS = 3_600 * 10**9


@pytest.mark.parametrize("jumps", [(0, -HOUR_NS), (0, HOUR_NS), (-HOUR_NS, HOUR_NS)], ids=str)
def test_a_clock_that_jumps_changes_no_run(offline, monkeypatch, jumps):
    wall_ns, jump = time.time_ns, cycle(jumps)
    monkeypatch.setattr(time, "time_ns", lambda: wall_ns() + next(jump))
    monkeypatch.setattr(time, "time", lambda: time.time_ns() / 10**9)
    agent = offline(catalog=catalog(), executors={"mine": answer})
    began_ns = time.monotonic_ns()
    result = agent.invoke({"task": "t", "budget": {"max_tokens": 100, "max_latency_ms": 60_000}})
    took_ms = (time.monotonic_ns() - began_ns) // 10**6
    receipt = receipt_of(result)
    assert receipt.status == "done"
    assert 0 <= receipt.spent.latency_ms <= took_ms
    for line in receipt.lines:
        assert 0 <= line.started_ms <= line.ended_ms <= receipt.spent.latency_ms
        assert 0 <= line.actual.latency_ms <= took_ms

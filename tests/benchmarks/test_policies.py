"""What `benchmarks/policies` measures, in a few worlds: never over, and worth the most."""

import pytest
from langgraph.store.memory import InMemoryStore

from benchmarks.policies.agent import Agent
from benchmarks.policies.plain import halting, replanning, static
from benchmarks.policies.world import runs_of

WORLDS, RUNS = 5, 5


@pytest.mark.parametrize("noise", [0.2, 0.4, 0.8])
def test_all_of_it_is_never_over_and_worth_the_most(noise):
    plain = dict.fromkeys((static, halting, replanning), 0.0)
    ours = 0.0
    for seed in range(WORLDS):
        runs = runs_of(seed, noise, RUNS)
        agent = Agent(runs, store=InMemoryStore())
        results = [agent.do(run) for run in runs]
        assert not any(result.is_over for result in results)
        for result, run in zip(results, runs, strict=True):
            assert result.value <= run.hindsight + 1e-6
        ours += sum(result.value for result in results)
        for policy in plain:
            plain[policy] += sum(policy(run).value for run in runs)
    # So few runs can tell as long as bills are not all noise; the benchmark has more of them.
    assert ours > max(plain.values()) or noise > 0.5

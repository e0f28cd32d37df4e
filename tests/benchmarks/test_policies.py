"""What `benchmarks/policies` measures, in a few worlds: never over, and worth the most."""

import pytest
from langgraph.store.memory import InMemoryStore

from benchmarks.policies.agent_policy import AgentPolicy
from benchmarks.policies.drifting_world import make_runs
from benchmarks.policies.simple_policies import run_static_plan, run_until_over, run_with_replans
from tests.long_cases import long_but

WORLDS, RUNS = 5, 5


@pytest.mark.parametrize("noise", long_but([0.2, 0.4, 0.8], 0.4))
def test_all_of_it_is_never_over_and_worth_the_most(noise):
    plain = dict.fromkeys((run_static_plan, run_until_over, run_with_replans), 0.0)
    ours = 0.0
    for seed in range(WORLDS):
        runs = make_runs(seed, noise, RUNS)
        agent = AgentPolicy(runs, store=InMemoryStore())
        results = [agent.run(run) for run in runs]
        assert not any(result.is_over for result in results)
        for result, run in zip(results, runs, strict=True):
            assert result.value <= run.hindsight + 1e-6
        ours += sum(result.value for result in results)
        for policy in plain:
            plain[policy] += sum(policy(run).value for run in runs)
    # So few runs can tell as long as bills are not all noise; the benchmark has more of them.
    assert ours > max(plain.values()) or noise > 0.5

"""The first run of a process has its whole time for its work: what takes long is loaded before."""

import json
import subprocess
import sys

import pytest

from tests.graph.conftest import TASK
from tests.long_cases import long_but

RUN = """
import json, sys
from thrifty import Settings, create_budget_agent

agent = create_budget_agent(settings=Settings(**json.loads(sys.argv[1])))
before = set(sys.modules)
result = agent.invoke({"task": sys.argv[2], "budget": {"max_cost_usd": 0.05}})
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(result["status"], *sorted(new))
"""
SMALL = {"anyio", "genai_prices", "langchain_core"}
"""What they put off until a call, in a few milliseconds."""


def loaded(**settings):
    """The packages that a first run loads, once it has done its work."""
    command = [sys.executable, "-c", RUN, json.dumps(settings), TASK]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    status, *packages = run.stdout.split()
    assert status == "done"
    return set(packages)


@pytest.mark.parametrize("api", long_but(["chat", "responses"], "chat"))
def test_a_first_run_loads_next_to_nothing(server, api):
    assert loaded(base_url=server.base_url, api=api) <= SMALL
    assert server.requests


def test_a_first_run_without_a_model_loads_next_to_nothing():
    assert loaded() <= SMALL

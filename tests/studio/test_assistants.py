"""examples/assistants.py against the running server: presets that Studio lists by name."""

import pytest

from tests.studio.conftest import BUDGET, GRAPH, TASK

pytestmark = pytest.mark.studio

NAMES = ["balanced", "frugal", "thorough"]


@pytest.fixture
def printed(models, printed_by):
    return printed_by("assistants")


def test_each_assistant_keeps_to_its_own_settings(client, models, printed):
    spent = [int(line.split()[1]) for line in printed.splitlines()]
    assert sum(spent) == models.bill.total_tokens
    frugal, balanced, thorough = spent
    assert 0 < frugal < balanced <= 8_000
    assert frugal <= 2_200
    assert frugal < thorough <= 40_000
    proposed = [request.model for request in models.requests if request.body.get("tools")]
    wrote = [request.model for request in models.requests if not request.body.get("tools")]
    # Frugal writes with the cheap model. Balanced and thorough have it propose, and no more.
    assert proposed == ["gpt-5-mini"] * 2
    assert (wrote[0], wrote[-1], set(wrote)) == ("gpt-5-mini", "gpt-5", {"gpt-5-mini", "gpt-5"})

    kept = client.assistants.search(graph_id=GRAPH)
    assert sorted(a["name"] for a in kept if a["name"] in NAMES) == NAMES


@pytest.mark.long
def test_what_a_run_is_given_goes_before_its_assistants_preset(client, models, printed, run):
    kept = {a["name"]: a["assistant_id"] for a in client.assistants.search(graph_id=GRAPH)}
    result = run(assistant=kept["frugal"], input={"task": TASK, "budget": BUDGET})
    assert result["receipt"]["budget"]["max_tokens"] == BUDGET["max_tokens"]
    assert result["receipt"]["budget"]["max_cost_nano_usd"] is None

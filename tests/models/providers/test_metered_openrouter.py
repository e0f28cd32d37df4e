"""What is OpenRouter's alone: it says what a call has cost, and tries again by itself."""

import pytest

from tests.harness.llm_server import Answer, ServerError
from tests.models.conftest import ACCOUNT, entries
from tests.models.vendors.openrouter import client
from tests.models.ways import TWO_WAYS, WAYS
from thrifty import Budget, ModelUnavailable, metered


def told(cost: float, upstream: float | None) -> dict:
    parts = {"upstream_inference_prompt_cost": 0, "upstream_inference_completions_cost": 0}
    return {"cost": cost, "cost_details": {"upstream_inference_cost": upstream, **parts}}


COSTS = [
    (told(0.02, None), 20_000_000),
    (told(0.02, 0.019), 20_000_000),
    (told(0.001, 0.03), 31_000_000),  # with a key of one's own at the provider
]


@pytest.mark.parametrize("way", TWO_WAYS)
@pytest.mark.parametrize(("usage", "nano_usd"), COSTS)
def test_a_call_costs_what_the_gateway_says(server, ledger, way, usage, nano_usd):
    ledger.open(ACCOUNT, Budget(max_cost_usd=1))
    server.script(Answer("Tea.", told_usage=usage))
    WAYS[way](metered(client(server), ledger, ACCOUNT), "Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == nano_usd
    assert entry.charged.tokens == server.bill.total_tokens


@pytest.mark.parametrize("retries", [0, 2])
def test_its_client_sends_a_request_once_even_where_it_would_not_with_no_retries(
    server, ledger, retries
):
    ledger.open(ACCOUNT, Budget(max_tokens=9_000))
    server.script(ServerError(times=None))
    model = metered(client(server, max_retries=retries), ledger, ACCOUNT, attempts_max=1)
    with pytest.raises(ModelUnavailable):
        model.invoke("Tea or coffee?")
    assert len(server.requests) == 1


def test_what_its_client_says_of_who_asks_is_still_said(server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=9_000))
    given = client(server, default_headers={"x-mine": "1"}, app_title="Ours")
    metered(given, ledger, ACCOUNT).invoke("Hi")
    (request,) = server.requests
    assert request.headers["x-mine"] == "1"
    assert request.headers["x-title"] == "Ours"
    assert request.headers["authorization"] == "Bearer sk-or-test"

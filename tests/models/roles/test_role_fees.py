"""The fees of searches that a model role makes by itself: held for each call, sent, and paid."""

import pytest

from tests.harness.llm_server import Answer, LLMServer
from thrifty import Budget, InvalidInput, MemoryLedger, Model, Settings, Spend, TokenPrice, UseFee
from thrifty.models.calls.allowance import Allowance
from thrifty.models.roles.agent_models import ModelPrompt, Models
from thrifty.models.roles.trial import try_model

FEE = 10_000_000
FEES = {"web_search": UseFee(0.01, uses_max=3, tokens_max=500)}
MONEY = Budget(max_tokens=20_000, max_cost_usd=0.1)


@pytest.fixture
def server():
    with LLMServer() as running:
        running.script(Answer("Green.", searches=1, search_tokens=500, times=None))
        yield running


def asked(server: LLMServer, name: str, api: str, ledger: MemoryLedger) -> Models:
    """The models of a deployment with one role, whose account is open."""
    ledger.open("a", MONEY)
    model = Model(name, price=TokenPrice(1, 5), fees=FEES, api=api)
    return Models(Settings("sk-test", server.base_url, models={"strong": model}))


def ask(models: Models, ledger: MemoryLedger):
    allowance = Allowance(ledger, "a", "k", "tea", Spend(9_000, 10**8, 0, 1), lambda _: None)
    models.ask(ModelPrompt("strong", "Which tea?"), allowance)
    (entry,) = ledger.entries("a")
    return entry


@pytest.mark.parametrize("name", ["gpt-4o-search-preview", "house-research"])
def test_who_tells_of_no_search_pays_all_that_were_declared(server, ledger, name):
    """Also where a gateway's name for it does not say that it searches."""
    entry, bill = ask(asked(server, name, "chat", ledger), ledger), server.bill
    tokens = bill.input_tokens * 1_000 + bill.output_tokens * 5_000
    assert entry.charged.cost_nano_usd == tokens + 3 * FEE
    assert entry.reserved.cost_nano_usd >= entry.charged.cost_nano_usd
    assert not entry.is_overrun


def test_where_the_api_takes_it_the_most_searches_are_sent_and_those_told_of_are_paid(
    server, ledger
):
    entry, bill = (
        ask(asked(server, "o4-mini-deep-research", "responses", ledger), ledger),
        server.bill,
    )
    assert server.requests[0].body["max_tool_calls"] == 3
    assert entry.reserved.cost_nano_usd > 3 * FEE
    assert entry.charged.cost_nano_usd == bill.input_tokens * 1_000 + bill.output_tokens * 5_000


def test_a_trial_is_charged_its_searches(server, ledger):
    role = asked(server, "gpt-4o-search-preview", "chat", ledger).roles["strong"]
    trial = try_model(role, ledger, "trial")
    assert trial.error is None
    assert trial.entry.charged.cost_nano_usd > 3 * FEE


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"fees": {"file_search": FEES["web_search"]}}, "fees"),
        ({"fees": {"image_generation": FEES["web_search"]}}, "fees"),
        ({"fees": {"web_search": 0.01}}, "fees.web_search"),
        ({"fees": FEES, "vendor": "anthropic"}, "fees"),
        ({"fees": FEES, "vendor": "openrouter"}, "fees"),
    ],
)
def test_a_fee_that_no_role_can_have_is_refused(given, field):
    with pytest.raises(InvalidInput) as refused:
        Model("m", **given)
    assert refused.value.field == field
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("fee", "field"),
    [
        ({"usd": 0.01, "uses_max": 1}, ".tokens_max"),
        ({"usd": 0.01, "uses_max": 1, "tokens_max": 0, "tokens": 1}, ".tokens"),
        ({"usd": "a cent", "uses_max": 1, "tokens_max": 0}, ".usd"),
        ({"usd": 0.01, "uses_max": "0", "tokens_max": 0}, ".uses_max"),
        ({"usd": 0.01, "uses_max": 1, "tokens_max": 1.5}, ".tokens_max"),
        (0.01, ""),
    ],
)
def test_a_fee_of_a_file_that_cannot_be_used_is_refused_by_its_place(fee, field):
    with pytest.raises(InvalidInput) as refused:
        Model.read("models.strong", {"name": "m", "fees": {"web_search": fee}})
    assert refused.value.field == f"models.strong.fees.web_search{field}"

"""A model role of Google's: its name, address, key, thought and list of models."""

import pytest
from langchain_google_genai import ChatGoogleGenerativeAI

from tests.harness.llm_server import Answer, LLMServer
from thrifty import (
    InvalidInput,
    Model,
    ModelUnavailable,
    Settings,
    TokenPrice,
    create_budget_agent,
)
from thrifty.models.providers.google import GoogleModel
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.models.roles.probe import probe

FLASH = "google_genai:gemini-2.5-flash"
HOME = "https://generativelanguage.googleapis.com"
KEY = "AIza-canary"


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)


def role_of(model, **settings) -> ModelRole:
    (role,) = ModelRoles(Settings(models={"cheap": model}, **settings))
    return role


def test_a_name_says_whose_model_it_is(monkeypatch):
    role = role_of(FLASH, api_key="sk-openai")
    assert (role.vendor, role.model) == (GoogleModel, "gemini-2.5-flash")
    assert (role.base_url, role.api_key, role.key_variable) == (HOME, KEY, "GOOGLE_API_KEY")
    assert role.prices.quote(role.model, 1_000_000, 0) == 300_000_000
    assert role.tokens_bound("Tea, please") == len("Tea, please")
    assert role.output_tokens_most == 16_000
    assert role_of("google_genai:gemini-2.0-flash").output_tokens_most == 4_000
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9")
    assert role_of(FLASH).base_url == "http://127.0.0.1:9"
    monkeypatch.delenv("GOOGLE_API_KEY")
    assert role_of(Model(FLASH, key_variable="GOOGLE_API_KEY")).offline_reason.endswith(
        "GOOGLE_API_KEY holds no key"
    )


def test_its_client_is_geminis_own(monkeypatch):
    role = role_of(FLASH)
    made = role.vendor.of_role(role)
    assert (made.address, made.given.client._api_client.vertexai) == (HOME, None)
    assert made.given.client._api_client.api_key == KEY
    assert made.given.thinking_budget == 1_024
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    with pytest.raises(InvalidInput, match="unset GOOGLE_GENAI_USE_VERTEXAI"):
        role.vendor.of_role(role)


@pytest.mark.parametrize(
    ("model", "effort", "said", "options", "tokens"),
    [
        ("gemini-2.5-flash", "auto", "low", {"thinking_budget": 1_024}, 1_024),
        ("gemini-2.5-flash", "none", "none", {"thinking_budget": 0}, 0),
        ("gemini-2.5-flash", "minimal", "minimal", {"thinking_budget": 1_024}, 1_024),
        ("gemini-2.5-pro", "medium", "medium", {"thinking_budget": 8_192}, 8_192),
        ("gemini-2.5-pro", "high", "high", {"thinking_budget": 24_576}, 24_576),
        ("gemini-2.5-flash-lite", "auto", "none", {"thinking_budget": 0}, 0),
        ("gemini-3.6-flash", "auto", "low", {"reasoning_effort": "low"}, 0),
        ("gemini-3.6-flash", "minimal", "minimal", {"reasoning_effort": "minimal"}, 0),
        ("gemini-3.1-pro-preview", "minimal", "low", {"reasoning_effort": "low"}, 0),
        ("gemini-flash-latest", "high", "high", {"reasoning_effort": "high"}, 0),
        ("gemini-2.0-flash", "auto", None, {}, 0),
        ("gemma-3-27b-it", "none", None, {}, 0),
    ],
)
def test_an_effort_is_said_as_its_model_takes_it(model, effort, said, options, tokens):
    role = role_of(Model(f"google_genai:{model}", effort=effort))
    assert (role.thinking.effort, role.thinking.options) == (said, options)
    assert role.thinking.tokens == tokens
    assert role.vendor.of_role(role).given.model == model  # its client takes them


@pytest.mark.parametrize(
    ("model", "effort", "told"),
    [
        ("gemini-2.5-pro", "none", "use low: gemini-2.5-pro cannot be told not to think"),
        ("gemini-3.6-flash", "none", "use minimal"),
        ("gemini-2.0-flash", "low", "Google takes none here"),
    ],
)
def test_an_effort_that_a_model_cannot_be_told_is_refused(model, effort, told):
    with pytest.raises(InvalidInput, match=told):
        role_of(Model(f"google_genai:{model}", effort=effort))


@pytest.mark.parametrize(
    ("given", "effort", "tokens"),
    [
        ({}, "high", 0),
        ({"thinking_budget": 3_000}, "high", 3_000),
        ({"thinking_budget": -1}, "high", 0),
        ({"thinking_budget": 0}, None, 0),
        ({"thinking_config": {"thinking_budget": 2_000}}, "high", 2_000),
        ({"model": "gemini-3.6-flash", "thinking_level": "low"}, "low", 0),
        ({"model": "gemini-3.6-flash", "thinking_config": {"thinking_level": "low"}}, "low", 0),
        ({"model": "models/gemini-2.5-flash-lite"}, None, 0),
        ({"model": "gemini-2.5-flash-lite", "thinking_budget": 900}, "high", 900),
        ({"model": "gemini-2.0-flash"}, None, 0),
    ],
)
def test_a_chat_model_of_googles_keeps_its_thought(given, effort, tokens):
    made = ChatGoogleGenerativeAI(**{"model": "gemini-2.5-flash", "api_key": "AIza", **given})
    role = role_of(made)
    assert role.client is made
    assert (str(role.effort.lower()) if role.effort else None, role.thinking.tokens) == (
        effort,
        tokens,
    )


def test_its_server_lists_its_models_for_nothing():
    with LLMServer(api_key=KEY, models=["gemini-2.5-flash"]) as server:
        found = probe(
            role_of(Model(FLASH, base_url=server.root_url, key_variable="GOOGLE_API_KEY"))
        )
        assert found is not None
        assert found.models == {"gemini-2.5-flash"}
        with pytest.raises(ModelUnavailable):
            probe(role_of(Model(FLASH, base_url=server.root_url)))


def test_a_run_asks_it_at_its_own_address(monkeypatch, ledger):
    with LLMServer(api_key=KEY) as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.root_url)
        server.default = Answer("Tea.")
        settings = Settings(models={"strong": FLASH})
        agent = create_budget_agent(settings=settings, ledger=ledger)
        budget = {"max_cost_usd": 0.05, "max_tokens": 60_000}
        result = agent.invoke({"task": "Tea or coffee?", "budget": budget})
        assert result["answer"] == "Tea."
        (request,) = server.requests
        assert (request.api, request.headers["x-goog-api-key"]) == ("gemini", KEY)
        assert request.body["generationConfig"]["thinkingConfig"] == {"thinking_budget": 1_024}
        (account,) = [info for info in ledger.accounts() if not info.parent]
        assert ledger.balance(account.name).spent.tokens == server.bill.total_tokens


def test_a_tier_is_open_at_other_addresses_than_googles_alone():
    dear = {"priority": TokenPrice(3, 25)}
    price = TokenPrice(0.3, 2.5, tiers=dear)
    own = role_of(Model(FLASH, price=price))
    assert own.prices.worst("gemini-2.5-flash", 1_000, 0) == 300_000
    other = role_of(Model(FLASH, price=price, base_url="https://gateway.example"))
    assert other.prices.worst("gemini-2.5-flash", 1_000, 0) == 3_000_000

"""Model roles: what each is, where it is asked, with which key, and at what price."""

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_openai import AzureChatOpenAI, ChatOpenAI

from tests.conftest import REAL_HOSTS
from thrifty import InvalidInput, Model, Settings, TokenPrice
from thrifty.models.costs import input_bound
from thrifty.models.costs.unseen_input import unseen_input
from thrifty.models.providers.thinking import REASONING_FACTORS
from thrifty.models.providers.vendor_request import CallBounds
from thrifty.models.roles.model_roles import AS_ASKED, NO_SERVER, ModelRoles

OWN = "http://127.0.0.1:11434/v1"
TEXT = "Give the fleet a dashboard. " * 10


def roles_of(**settings) -> ModelRoles:
    return ModelRoles(Settings(**settings))


def test_with_a_key_alone_there_is_a_strong_model_and_a_cheap_one():
    roles = roles_of(api_key="sk-1")
    assert [(role.name, role.model) for role in roles] == [
        ("strong", "gpt-5"),
        ("cheap", "gpt-5-mini"),
    ]
    assert (roles.strong, roles.cheap, roles.is_offline) == ("strong", "cheap", False)


def test_at_a_server_of_ones_own_one_model_is_guessed_and_no_more():
    roles = roles_of(base_url=OWN)
    assert [(role.name, role.model) for role in roles] == [("strong", "gpt-5")]
    assert roles.cheap == "strong"


def test_one_model_alone_is_strong_whatever_its_role_is_called():
    roles = roles_of(models={"local": Model("llama3", base_url=OWN)})
    assert (roles.strong, roles.cheap) == ("local", "local")


def test_a_role_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(InvalidInput, match="model roles: strong, cheap"):
        roles_of(api_key="sk-1")["gpt-5-nano"]


def test_a_key_goes_to_the_address_beside_which_it_stands(monkeypatch):
    monkeypatch.setenv("GATEWAY_KEY", "sk-gateway")
    strong, local, gateway = roles_of(
        api_key="sk-openai",
        models={
            "strong": "gpt-5",
            "local": Model("llama3", base_url=OWN),
            "gateway": Model("gpt-5", base_url="https://g.example/v1", key_variable="GATEWAY_KEY"),
        },
    )
    assert (strong.base_url, strong.api_key) == ("", "sk-openai")
    assert (local.base_url, local.api_key) == (OWN, "")
    assert (gateway.base_url, gateway.api_key) == ("https://g.example/v1", "sk-gateway")
    assert "sk-" not in f"{strong}{gateway}"


def test_each_says_why_it_cannot_be_asked(monkeypatch):
    models = {
        "strong": "gpt-5",
        "local": Model("llama3", base_url=OWN),
        "keyed": Model("llama3", base_url=OWN, key_variable="NO_SUCH_KEY"),
    }
    reasons = [role.offline_reason for role in roles_of(models=models)]
    assert reasons == [NO_SERVER, "", "offline: NO_SUCH_KEY holds no key"]
    assert not roles_of(models=models).is_offline
    offline = roles_of(models=models, is_offline=True)
    assert {role.offline_reason for role in offline} == {AS_ASKED}
    assert offline.is_offline


def test_a_server_of_ones_own_speaks_chat_unless_somebody_says_otherwise():
    def apis(**settings):
        models = {
            "a": "m",
            "b": Model("m", base_url=OWN),
            "c": Model("m", base_url=OWN, api="responses"),
        }
        return [role.api for role in roles_of(models=models, **settings)]

    assert apis(api_key="sk-1") == ["responses", "chat", "responses"]
    assert apis(base_url=OWN) == ["chat", "chat", "responses"]
    assert apis(base_url=OWN, api="responses") == ["responses", "chat", "responses"]


def test_the_settings_name_of_a_cap_is_that_of_their_own_server():
    models = {"a": "m", "b": Model("m", base_url=OWN), "c": Model("m", cap_field="max_tokens")}
    roles = roles_of(base_url="http://127.0.0.1:1/v1", cap_field="max_tokens", models=models)
    assert [role.cap_field for role in roles] == [
        "max_tokens",
        "max_completion_tokens",
        "max_tokens",
    ]


def test_a_deployment_may_know_by_which_encoding_its_server_counts(monkeypatch):
    monkeypatch.setattr(input_bound, "OPENAI_HOSTS", REAL_HOSTS)
    models = {"a": Model("m", base_url=OWN, encoding="o200k_base"), "b": Model("m", base_url=OWN)}
    body = {"messages": [{"content": "Tea is made of leaves. " * 9}]}
    told, unknown = roles_of(models=models)
    assert told.call_bounds(9) == CallBounds(9, encoding="o200k_base")
    assert told.input_tokens(body) == 9 * 6 + 1 + 16 + 64
    assert unknown.input_tokens(body) == 9 * 23 + 16 + 64
    # No more is known of it: neither that it is OpenAI's, nor how much it can write.
    assert told.output_tokens_most == unknown.output_tokens_most
    # What its bills show is in its plans as well.
    unseen_input.note(f"{OWN}/", "m", 0, 100)
    assert told.input_tokens(body) == 9 * 6 + 1 + 16 + 64 + 100


def test_a_shape_is_asked_for_by_a_field_of_chat_completions_alone():
    by_grammar = {"a": Model("m", shape_field="response_format"), "b": "m"}
    assert [role.shape_field for role in roles_of(base_url=OWN, models=by_grammar)] == [
        "response_format",
        "tools",
    ]
    (role, _) = roles_of(api_key="sk-1", models=by_grammar)  # at OpenAI's, by Responses
    assert (role.api, role.shape_field) == ("responses", "tools")


def test_one_name_at_two_addresses_has_two_prices():
    models = {
        "strong": Model("gpt-5"),
        "local": Model("gpt-5", base_url=OWN, price=TokenPrice(0, 0)),
        "other": Model("house", base_url=OWN),
    }
    prices = {"house": TokenPrice(1, 4)}
    strong, local, other = roles_of(api_key="sk-1", models=models, prices=prices)
    labels = [role.label for role in (strong, local, other)]
    assert labels == ["gpt-5 (strong)", "gpt-5 (local)", "house"]
    assert strong.prices.quote("gpt-5", 1_000_000, 0) == 1_250_000_000
    assert local.prices.quote("gpt-5", 1_000_000, 0) == 0
    assert other.prices.quote("house", 1_000_000, 0) == 1_000_000_000


def test_how_much_a_model_reasons_follows_from_its_effort_unless_it_is_told():
    models = {
        "thinker": "gpt-5",
        "deep": Model("gpt-5", effort="high"),
        "quick": Model("gpt-5", effort="none"),
        "plain": "gpt-4o",
        "told": Model("gpt-4o", reasoning_factor=3),
    }
    roles = roles_of(api_key="sk-1", models=models)
    assert [role.effort for role in roles] == ["low", "high", "none", None, None]
    factors = [REASONING_FACTORS["low"], REASONING_FACTORS["high"], 1.0, 1.0, 3.0]
    assert [role.reasoning_factor for role in roles] == factors


@pytest.mark.parametrize(
    ("address", "is_known"),
    [
        ("", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://fleet.openai.azure.com/openai/v1", True),
        ("https://api.openai.com.gateway.example/v1", False),
        ("https://notopenai.com/v1", False),
        ("http://127.0.0.1:11434/v1", False),
    ],
)
def test_a_name_proves_an_encoding_at_openais_and_azures_addresses_alone(
    monkeypatch, address, is_known
):
    monkeypatch.setattr(input_bound, "OPENAI_HOSTS", REAL_HOSTS)
    (role,) = roles_of(api_key="sk-1", models={"strong": Model("gpt-4o", base_url=address)})
    bound = role.tokens_bound(TEXT)
    assert (bound < len(TEXT)) == is_known
    assert bound == len(TEXT) or is_known


def test_a_chat_model_keeps_its_own_address_and_effort():
    made = ChatOpenAI(model="gpt-5", base_url=OWN, api_key="sk-own", reasoning_effort="high")
    (role,) = roles_of(models={"strong": made})
    assert (role.model, role.base_url, role.effort) == ("gpt-5", f"{OWN}/", "high")
    assert role.reasoning_factor == REASONING_FACTORS["high"]
    assert role.client is made
    assert not role.is_offline


def test_a_deployment_at_azure_has_a_name_and_an_encoding(monkeypatch):
    monkeypatch.setattr(input_bound, "OPENAI_HOSTS", REAL_HOSTS)
    made = AzureChatOpenAI(
        azure_endpoint="https://fleet.openai.azure.com",
        azure_deployment="gpt-4o-fleet",
        api_version="2024-10-21",
        api_key="sk-azure",
    )
    (role,) = roles_of(models={"strong": made})
    assert role.model == "gpt-4o-fleet"
    assert role.tokens_bound(TEXT) < len(TEXT)


def test_a_chat_model_of_another_vendor_cannot_be_asked_yet():
    with pytest.raises(InvalidInput, match="langchain-openai") as refused:
        roles_of(models={"strong": FakeListChatModel(responses=["Yes."])})
    assert refused.value.field == "models.strong"

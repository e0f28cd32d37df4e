"""What is known of each vendor before there is a client of it, and whose a model is said to be."""

from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage

from tests.models.vendors import anthropic, groq
from tests.models.vendors.other import HouseModel
from thrifty import InvalidInput, Model, Settings
from thrifty.models.providers.listed_as import listed_as, provider_of
from thrifty.models.providers.openai import serialized_address
from thrifty.models.providers.refusals import check_transport, unknown_model
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor_facts import Server, VendorFacts
from thrifty.models.providers.vendors import (
    end_word,
    has_ended_early,
    is_metered_kind,
    named_vendors,
    no_tool_choice,
    vendor_model,
)
from thrifty.models.roles.model_roles import ModelRoles

BEARER = {"authorization": "Bearer k"}
LISTED: dict[str, tuple[str, dict[str, str]]] = {
    "deepseek": ("models", BEARER),
    "google_genai": ("v1beta/models?pageSize=1000", {"x-goog-api-key": "k"}),
    "groq": ("openai/v1/models", BEARER),
    "mistralai": ("models", BEARER),
    "ollama": ("v1/models", BEARER),
    "openai": ("models", BEARER),
    "openrouter": ("models", BEARER),
    "xai": ("models", BEARER),
}
"""Where each lists its models, and the headers to ask with."""
EACH = pytest.mark.parametrize("name", ["anthropic", *LISTED])
AT = "http://127.0.0.1:9/gate"


@pytest.mark.parametrize("name", LISTED)
def test_where_models_are_listed(name):
    path, headers = LISTED[name]
    listed = named_vendors()[name].list_request("https://g.invalid/X/", "k")
    assert listed == (f"https://g.invalid/X/{path}", headers)


@EACH
def test_a_model_without_an_address_is_asked_where_the_vendors_variables_say(name, monkeypatch):
    vendor = named_vendors()[name]
    own = Settings("of-settings", "https://settings.invalid")
    key = ""
    if vendor.key_variable:
        monkeypatch.setenv(vendor.key_variable, " of-variable ")
        key = "of-variable"
    if name == "openai":
        assert vendor.usual_server(own) == Server("https://settings.invalid", "of-settings")
        return
    assert vendor.usual_server(own) == Server(vendor.home, key)
    for variable in reversed(vendor.address_variables):
        monkeypatch.setenv(variable, f"https://{variable}.invalid")
        assert vendor.usual_server(own) == Server(f"https://{variable}.invalid", key)


THINKERS = {
    "google_genai": "gemini-3-pro-preview",
    "groq": "openai/gpt-oss-20b",
    "ollama": "gpt-oss:20b",
    "openai": "gpt-5",
    "openrouter": "a/b",
    "xai": "grok-3-mini",
}
"""A model of theirs that is told by a word how hard to think."""


@EACH
def test_a_role_is_made_by_the_vendors_own_class_with_all_of_its_server_named(name, monkeypatch):
    monkeypatch.setenv("TEAM_KEY", "sk-team")
    vendor, thinker = named_vendors()[name], THINKERS.get(name, "")
    effort = {"effort": "high"} if thinker else {}
    own = {"vendor": name, "base_url": AT, "key_variable": "TEAM_KEY"}
    model = Model(thinker or "model-1", **own, **effort)
    (apart,) = ModelRoles(Settings(models={"strong": model}))
    made = vendor.of_role(apart)
    assert type(made) is vendor
    assert made.kind_of(made.given) is not None
    assert (made.name, made.address.rstrip("/"), made.is_apart) == (model.name, AT, True)
    assert vendor.thinking_of(made.given) == Thinking(**effort)
    assert _key_of(made.given) == "sk-team"
    (usual,) = ModelRoles(Settings(models={"strong": f"{name}:model-1"}))
    monkeypatch.delenv("TEAM_KEY")
    at_home = vendor.of_role(usual)
    assert (at_home.address.rstrip("/"), at_home.is_apart) == (vendor.home, False)
    assert _key_of(at_home.given) == "none"  # and none of the environment's


def _key_of(given: Any) -> str:
    """The key with which a client asks."""
    if hasattr(given, "_async_client") and hasattr(given, "num_predict"):
        return given._async_client._client.headers["authorization"].removeprefix("Bearer ")
    held = [getattr(given, name) for name in type(given).model_fields if name.endswith("api_key")]
    (key,) = {value.get_secret_value() for value in held if value is not None}
    return key


def test_a_role_may_have_a_client_of_the_deployments_own():
    own = groq.client(SimpleNamespace(root_url=AT))
    made = vendor_model(own)
    same = type(made).of_role(SimpleNamespace(client=own, is_apart=True))
    assert (same.given, same.is_apart) == (own, False)


def test_a_package_that_is_not_there_is_named_with_what_installs_it():
    class Nobodys(VendorFacts):
        package, extra = "langchain-no-such", "nosuch"

    assert not Nobodys.is_installed()
    assert named_vendors()["groq"].is_installed()
    remedy = "langchain-no-such is not installed: pip install 'thrifty[nosuch]'"
    assert Nobodys.install_remedy() == remedy


@pytest.mark.parametrize(
    ("name", "model", "address", "tokens", "encoding"),
    [
        ("openai", "gpt-4o-mini", "", 16_000, "gpt-4o-mini"),
        ("openai", "gpt-4", "", 4_000, "gpt-4"),
        ("openai", "gpt-4o-mini", AT.replace("127.0.0.1", "gate.invalid"), 4_000, ""),
        ("google_genai", "gemini-2.5-flash", "", 16_000, ""),
        ("google_genai", "gemini-2.0-flash", "", 4_000, ""),
        ("groq", "openai/gpt-oss-20b", "", 4_000, ""),
        ("xai", "grok-4", "", 4_000, ""),
    ],
)
def test_what_each_vendors_models_can_write_and_count(name, model, address, tokens, encoding):
    vendor = named_vendors()[name]
    assert vendor.output_tokens_most(model, address) == tokens
    assert vendor.encoding(model, address) == encoding
    assert vendor.own_price(model, address) is None


@pytest.mark.parametrize(
    ("told", "serialized", "provider", "listed"),
    [
        ({"ls_provider": "mistral"}, {"id": ["ChatGroq"]}, "mistral", "mistral"),
        ({}, {"id": ["langchain", "chat_models", "ChatGroq"]}, "groq", "groq"),
        ({"ls_provider": ""}, {"id": ["FireworksChat"]}, "fireworks", "fireworks"),
        ({}, {"id": ["CohereLLM"]}, "cohere", "cohere"),
        ({}, {"id": []}, "", ""),
        ({}, {"id": None}, "", ""),
        ({}, None, "", ""),
        ({"ls_provider": "Google_GenAI"}, None, "Google_GenAI", "google"),
        ({"ls_provider": "xai"}, None, "xai", "x-ai"),
        ({"ls_provider": "nobody"}, None, "nobody", ""),
    ],
)
def test_whose_a_model_is_and_what_the_price_list_calls_them(told, serialized, provider, listed):
    assert provider_of(told, serialized) == provider
    assert listed_as(provider) == listed


@pytest.mark.parametrize(
    ("serialized", "address"),
    [
        ({"id": ["langchain", "ChatOpenAI"]}, "https://variable.invalid"),
        ({"id": ["OpenAI"], "kwargs": None}, "https://variable.invalid"),
        ({"id": ["ChatOpenAI"], "kwargs": {"openai_api_base": AT}}, AT),
        ({"id": ["AzureChatOpenAI"], "kwargs": {"azure_endpoint": AT}}, AT),
        ({"id": ["ChatGroq", "Other"]}, None),
        ({"id": []}, None),
        ({}, None),
    ],
)
def test_where_a_client_asks_by_what_callbacks_are_told_of_it(monkeypatch, serialized, address):
    monkeypatch.setenv("OPENAI_BASE_URL", "https://variable.invalid")
    assert serialized_address(serialized) == address


KNOWN = (
    "langchain-deepseek, langchain-xai, langchain-openai, langchain-anthropic, langchain-aws, "
    "langchain-google-genai, langchain-groq, langchain-mistralai, langchain-ollama, "
    "langchain-openrouter, langchain-litellm"
)


def refusal_of(refused: Any) -> tuple[str, Any, str]:
    return refused.value.field, refused.value.value, refused.value.remedy


def test_what_is_no_chat_model_is_refused_with_what_to_do_instead():
    told = unknown_model("gpt-4o", "p")
    instead = "make a model of it, as with init_chat_model, and meter that"
    assert (told.field, told.value, told.remedy) == ("model", "str", instead)
    with pytest.raises(InvalidInput) as refused:
        vendor_model(FakeListChatModel(responses=["Hi"]))
    remedy = f"use a chat model of {KNOWN}, or any other with a field for its output cap"
    assert refusal_of(refused) == ("model", "FakeListChatModel", remedy)
    with pytest.raises(InvalidInput) as refused:
        named_vendors()["groq"](HouseModel(model="m", base_url=AT))
    assert refusal_of(refused) == ("model", "HouseModel", "use a chat model of langchain-groq")


def test_a_transport_for_synchronous_calls_alone_is_refused():
    with pytest.raises(InvalidInput) as refused:
        check_transport(SimpleNamespace(http_client={}, http_async_client=None))
    remedy = "give http_async_client=httpx.AsyncClient(…) as well: every call is an async one"
    assert refusal_of(refused) == ("http_client", "dict", remedy)
    for fine in (
        SimpleNamespace(),
        SimpleNamespace(http_client=None, http_async_client=None),
        SimpleNamespace(http_client={}, http_async_client={}),
        SimpleNamespace(http_client={}),  # its class knows no other
        SimpleNamespace(http_async_client={}),
    ):
        check_transport(fine)


def test_whose_tools_can_be_left_out_of_a_conversation_with_calls():
    claude = anthropic.client(SimpleNamespace(root_url=AT))
    assert no_tool_choice(claude) == {"type": "none"}
    assert no_tool_choice(groq.client(SimpleNamespace(root_url=AT))) is None
    assert no_tool_choice(object()) is None
    assert is_metered_kind(HouseModel(model="m", base_url=AT))
    assert not is_metered_kind(FakeListChatModel(responses=["Hi"]))


COUNT = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}


@pytest.mark.parametrize(
    ("said", "usage", "word", "is_early"),
    [
        ({"finish_reason": "stop"}, None, "stop", False),
        ({"finish_reason": "length"}, COUNT, "length", True),
        ({"finish_reason": None, "stop_reason": "max_tokens"}, COUNT, "max_tokens", True),
        ({"done_reason": "stop"}, COUNT, "stop", False),
        ({}, COUNT, "", False),
        ({}, None, "", True),
    ],
)
def test_how_an_answer_ended(said, usage, word, is_early):
    message = AIMessage("T", response_metadata=said, usage_metadata=usage)
    assert (end_word(message), has_ended_early(message)) == (word, is_early)

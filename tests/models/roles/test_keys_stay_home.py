"""A vendor's key, and what else its variables say, goes to its own server: asked on the wire."""

import os
from urllib.parse import urlsplit

import pytest

from tests.harness.llm_server import LLMServer
from thrifty import InvalidInput, MemoryLedger, Model, Settings
from thrifty.models.providers.vendors import named_vendors
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.models.roles.trial import try_model

SIGNED = "bedrock"
"""The vendor whose requests are signed: no address can be named for it."""
VENDORS = {
    vendor.names[0]: vendor for vendor in named_vendors().values() if vendor.names[0] != SIGNED
}
CANARY = "sk-canary"
READ_BY_CLIENTS = {
    "ANTHROPIC_AUTH_TOKEN": "{}",
    "AWS_ACCESS_KEY_ID": "{}",
    "AWS_SECRET_ACCESS_KEY": "{}",
    "AWS_SESSION_TOKEN": "{}",
    "ANTHROPIC_CUSTOM_HEADERS": "x-gateway: {}",
    "GEMINI_API_KEY": "{}",
    "GROQ_CUSTOM_HEADERS": "x-gateway: {}",
    "LANGSMITH_API_KEY": "{}",
    "LANGSMITH_GATEWAY_API_KEY": "{}",
    "OLLAMA_API_KEY": "{}",
    "OPENAI_ADMIN_KEY": "{}",
    "OPENAI_CUSTOM_HEADERS": "x-gateway: {}",
    "OPENAI_ORG_ID": "{}",
    "OPENAI_PROJECT_ID": "{}",
}
"""What the vendors' clients take from the environment by themselves, and send."""


@pytest.fixture
def server():
    with LLMServer() as running:
        yield running


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Every variable that a client may read holds what must not be seen elsewhere."""
    keys = {vendor.key_variable: "{}" for vendor in VENDORS.values() if vendor.key_variable}
    for variable, form in {**READ_BY_CLIENTS, **keys}.items():
        monkeypatch.setenv(variable, form.format(f"{CANARY}-{variable.lower()}"))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


def sent_to(server: LLMServer, name: str, base_url: str = "") -> str:
    """All that a call of a vendor's model has sent there, but for its body."""
    settings = Settings.from_environment()
    model = Model("model-1", vendor=name, base_url=base_url)
    (role,) = ModelRoles(Settings(settings.api_key, settings.base_url, models={"strong": model}))
    trial = try_model(role, MemoryLedger(), "trial")
    assert trial.error is None
    (request,) = server.requests
    return " ".join((request.path, *request.headers.values()))


def address_at(server: LLMServer, name: str) -> str:
    """Where a vendor's client finds its API at the loopback server."""
    return server.root_url + urlsplit(VENDORS[name].home).path


@pytest.mark.parametrize("name", sorted(VENDORS))
def test_a_models_own_address_is_sent_no_key_that_is_not_named_beside_it(server, name):
    assert CANARY not in sent_to(server, name, address_at(server, name))


@pytest.mark.parametrize("name", sorted(VENDORS))
def test_its_usual_server_is_sent_its_own_key_and_no_other(server, name, monkeypatch):
    vendor = VENDORS[name]
    monkeypatch.setenv(vendor.address_variables[0], address_at(server, name))
    sent = sent_to(server, name)
    own = (vendor.key_variable or vendor.names[0]).partition("_")[0].lower()
    found = {word for word in sent.split() if word.startswith(CANARY)}
    assert {word for word in found if f"{CANARY}-{own}" not in word} == set()
    if vendor.key_variable:
        assert f"{CANARY}-{vendor.key_variable.lower()}" in found


@pytest.mark.parametrize("name", sorted(VENDORS))
def test_nobody_is_shown_the_key_of_a_client(server, name, monkeypatch):
    monkeypatch.setenv("TEAM_KEY", "sk-team-zebra")  # no digits: addresses in memory have some
    model = Model(
        "model-1", vendor=name, base_url=address_at(server, name), key_variable="TEAM_KEY"
    )
    (role,) = ModelRoles(Settings(models={"strong": model}))
    made = role.vendor.of_role(role)
    assert "zebra" not in f"{role!r} {made.given!r} {made.described!r} {made.given._serialized}"


def test_bedrock_is_sent_its_own_token_and_no_secret_where_the_environment_says(
    server, monkeypatch
):
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.root_url)
    sent = sent_to(server, SIGNED)
    found = {word for word in sent.replace("=", " ").replace("/", " ").split() if CANARY in word}
    assert found == {f"{CANARY}-aws_session_token", f"{CANARY}-aws_access_key_id"}


@pytest.mark.parametrize("field", ["base_url", "key_variable"])
def test_bedrock_is_given_no_address_and_no_key_by_a_role(server, monkeypatch, field):
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9")
    given = {"base_url": server.root_url, "key_variable": "AWS_SESSION_TOKEN"}[field]
    model = Model("model-1", vendor=SIGNED, **{field: given})
    with pytest.raises(InvalidInput, match=rf"models\.strong\.{field}.*ChatBedrockConverse"):
        ModelRoles(Settings(models={"strong": model}))
    assert not server.requests

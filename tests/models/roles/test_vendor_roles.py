"""A model role may be of any vendor: its name, address, key, price, thought and package."""

import pytest
from langchain_anthropic import ChatAnthropic

from thrifty import InvalidInput, Model, Settings, TokenPrice
from thrifty.models.providers.anthropic import AnthropicModel
from thrifty.models.providers.thinking import REASONING_FACTORS
from thrifty.models.roles.agent_models import Models
from thrifty.models.roles.model_role import ModelRole
from thrifty.models.roles.model_roles import ModelRoles

HAIKU = "anthropic:claude-haiku-4-5"
HOME = "https://api.anthropic.com"
OWN = "http://127.0.0.1:9"
KEY = "sk-ant-canary"


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


def role_of(model, **settings) -> ModelRole:
    (role,) = ModelRoles(Settings(models={"cheap": model}, **settings))
    return role


def test_a_name_says_whose_model_it_is():
    role = role_of(HAIKU, api_key="sk-openai")
    assert (role.vendor, role.model, role.label) == (AnthropicModel, *["claude-haiku-4-5"] * 2)
    assert (role.base_url, role.api_key, role.key_variable) == (HOME, KEY, "ANTHROPIC_API_KEY")
    assert not role.is_offline
    assert KEY not in repr(role)
    assert role.prices.quote(role.model, 1_000_000, 0) == 1_000_000_000
    assert role.encoding == ""
    assert role.tokens_bound("Tea, please") == len("Tea, please")


@pytest.mark.parametrize(
    ("given", "name", "vendor"),
    [
        ({"name": HAIKU}, "claude-haiku-4-5", "anthropic"),
        ({"name": "claude-haiku-4-5", "vendor": "anthropic"}, "claude-haiku-4-5", "anthropic"),
        ({"name": "anthropic", "vendor": "anthropic"}, "anthropic", "anthropic"),
        ({"name": HAIKU, "vendor": "openai"}, HAIKU, "openai"),
        ({"name": f"openai:{HAIKU}"}, HAIKU, "openai"),
        ({"name": "llama3:8b"}, "llama3:8b", "openai"),
        ({"name": "mistral:latest"}, "mistral:latest", "openai"),
        ({"name": "ft:gpt-4o:house::1"}, "ft:gpt-4o:house::1", "openai"),
        ({"name": "Anthropic:claude-x"}, "claude-x", "anthropic"),
        ({"name": "gemini:gemini-2.5-flash"}, "gemini-2.5-flash", "google_genai"),
    ],
)
def test_a_description_is_the_same_when_it_is_read_again(given, name, vendor):
    model = Model(**given)
    assert (model.name, model.vendor) == (name, vendor)
    assert Model.read("models.cheap", model.to_state()) == model


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("anthropc:claude-haiku-4-5", "did you mean anthropic:claude-haiku-4-5?"),
        ("opnai:gpt-5", "did you mean openai:gpt-5?"),
        ("cohere:command-a", "or one that speaks OpenAI's protocol"),
    ],
)
def test_a_vendor_that_cannot_be_named_is_refused_with_what_was_meant(name, told):
    with pytest.raises(InvalidInput, match=r"models\.cheap\.name: got") as refused:
        Settings(models={"cheap": name})
    assert told in refused.value.remedy


def test_a_field_of_openais_protocol_is_refused_for_another_vendor():
    for field, value in (("api", "chat"), ("cap_field", "max_tokens"), ("shape_field", "tools")):
        with pytest.raises(InvalidInput, match="anthropic has its own protocol") as refused:
            Model(HAIKU, **{field: value})
        assert refused.value.field == field


def test_an_address_of_its_own_is_sent_no_usual_key(monkeypatch):
    monkeypatch.setenv("TEAM_KEY", "sk-team")
    apart = role_of(Model(HAIKU, base_url=OWN))
    assert (apart.base_url, apart.api_key, apart.key_variable, apart.is_apart) == (
        OWN,
        "",
        "",
        True,
    )
    assert not apart.is_offline
    named = role_of(Model(HAIKU, base_url=OWN, key_variable="TEAM_KEY"))
    assert named.api_key == "sk-team"
    assert role_of(Model(HAIKU, key_variable="TEAM_KEY")).base_url == HOME


def test_an_address_beside_the_usual_key_is_the_environments(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "https://another.example/v1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", OWN)
    role = role_of(HAIKU, api_key="sk-openai", base_url="https://another.example/v1")
    assert (role.base_url, role.api_key, role.is_apart) == (OWN, KEY, False)
    monkeypatch.setenv("ANTHROPIC_API_URL", f"{OWN}/first")  # as LangChain's own client reads them
    assert role_of(HAIKU).base_url == f"{OWN}/first"
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert not role_of(HAIKU).is_offline  # a server of one's own may need none


@pytest.mark.parametrize(
    ("model", "variable"), [(HAIKU, "OPENAI_API_KEY"), ("gpt-5", "ANTHROPIC_API_KEY")]
)
def test_one_vendors_key_is_never_sent_to_another(monkeypatch, model, variable):
    monkeypatch.setenv(variable, "sk-canary-4711")
    with pytest.raises(InvalidInput, match="is not sent it") as refused:
        role_of(Model(model, key_variable=variable))
    assert refused.value.field == "models.cheap.key_variable"
    assert "canary" not in str(refused.value)
    beside = role_of(Model(model, key_variable=variable, base_url=OWN))  # somebody says so
    assert beside.api_key == "sk-canary-4711"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        (":8000", "http://127.0.0.1:8000"),
        ("https://ollama.example", "https://ollama.example"),
    ],
)
def test_ollama_is_asked_where_its_variable_says_that_it_listens(monkeypatch, host, address):
    monkeypatch.setenv("OLLAMA_HOST", host)
    role = role_of("ollama:qwen3")
    assert (role.base_url, role.api_key, role.is_offline) == (address, "", False)
    is_here = "127.0.0.1" in address
    assert role.prices.knows("qwen3") == is_here  # on this machine it costs nothing


def test_without_its_key_it_says_which_variable_is_meant(monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert role_of(HAIKU).offline_reason == "offline: ANTHROPIC_API_KEY holds no key"
    keyed = role_of(Model(HAIKU, key_variable="TEAM_KEY"))
    assert keyed.offline_reason == "offline: TEAM_KEY holds no key"


def test_without_its_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(AnthropicModel, "package", "langchain-not-there")
    settings = Settings(api_key="sk-1", models={"strong": "gpt-5", "cheap": HAIKU})
    *_, cheap = ModelRoles(settings)
    assert cheap.offline_reason.endswith("is not installed: pip install 'thrifty[anthropic]'")
    with pytest.raises(InvalidInput, match=r"pip install 'thrifty\[anthropic\]'") as refused:
        Models(settings)
    assert refused.value.field == "models.cheap"
    Models(Settings(models={"cheap": HAIKU}, is_offline=True))  # nobody is asked


@pytest.mark.parametrize(
    ("model", "effort", "options"),
    [
        ("claude-haiku-4-5", "auto", {}),
        ("claude-haiku-4-5", "none", {}),
        ("claude-haiku-4-5", "low", {"thinking": {"type": "enabled", "budget_tokens": 2_048}}),
        ("claude-opus-4-5", "high", {"reasoning_effort": "high"}),
        (
            "claude-sonnet-5",
            "auto",
            {"reasoning_effort": "low", "thinking": {"type": "adaptive", "display": "summarized"}},
        ),
        ("claude-sonnet-5", "none", {"thinking": {"type": "disabled"}}),
    ],
)
def test_an_effort_is_said_as_its_model_takes_it(model, effort, options):
    role = role_of(Model(f"anthropic:{model}", effort=effort))
    assert role.thinking.options == options
    thinks = options.get("thinking", {}).get("type") != "disabled" and bool(options)
    level = "low" if effort == "auto" else effort
    assert role.reasoning_factor == (REASONING_FACTORS[level] if thinks else 1.0)
    budget = options.get("thinking", {}).get("budget_tokens", 0)
    assert role.output_tokens_least == budget + 16
    assert role.vendor.of_role(role).given.model == model  # its client takes them


def test_an_effort_that_a_model_cannot_be_told_is_refused():
    with pytest.raises(InvalidInput, match="cannot be told not to think") as refused:
        role_of(Model("anthropic:claude-opus-5-5", effort="none"))
    assert refused.value.field == "models.cheap.effort"


@pytest.mark.parametrize(
    ("given", "effort", "tokens"),
    [
        ({}, None, 0),
        ({"thinking": {"type": "enabled", "budget_tokens": 3_000}}, "high", 3_000),
        ({"model": "claude-opus-4-5", "effort": "low"}, "low", 0),
        ({"model": "claude-opus-5"}, "high", 0),
        ({"model": "claude-opus-5", "thinking": {"type": "disabled"}}, None, 0),
    ],
)
def test_a_chat_model_of_anthropics_keeps_its_address_and_its_thought(given, effort, tokens):
    made = ChatAnthropic(
        **{"model": "claude-haiku-4-5", "base_url": OWN, "api_key": "sk-own", **given}
    )
    role = role_of(made, prices={"claude-haiku-4-5": TokenPrice(2, 4)})
    assert (role.model, role.base_url, role.client) == (made.model, OWN, made)
    assert (role.effort, role.thinking.tokens) == (effort, tokens)
    assert role.vendor.of_role(role).given is made
    if made.model == "claude-haiku-4-5":
        assert role.prices.quote(role.model, 1_000_000, 0) == 2_000_000_000


@pytest.mark.parametrize(
    ("environ", "toml"),
    [
        ({"THRIFTY_MODELS": '{"cheap": "anthropic:claude-haiku-4-5"}'}, ""),
        ({"THRIFTY_MODELS__CHEAP": HAIKU}, ""),
        ({}, '[models]\ncheap = "anthropic:claude-haiku-4-5"\n'),
        ({}, '[models.cheap]\nname = "claude-haiku-4-5"\nvendor = "anthropic"\n'),
    ],
)
def test_environment_and_file_name_any_vendor(monkeypatch, tmp_path, environ, toml):
    monkeypatch.setenv("THRIFTY_HOME", str(tmp_path))
    (tmp_path / "thrifty.toml").write_text(toml)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment().models == {"cheap": Model(HAIKU)}

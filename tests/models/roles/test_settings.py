"""The settings of a deployment, as its environment and its file give them."""

import pytest
from langchain_openai import ChatOpenAI

from thrifty import InvalidInput, Model, Settings, TokenPrice, UseFee

LLAMA = Model(
    "llama3:8b",
    base_url="http://127.0.0.1:11434/v1",
    key_variable="LOCAL_KEY",
    price=TokenPrice(0, 0.1, 0.02, long_above=5, long=TokenPrice(1, 2)),
    effort="none",
    reasoning_factor=1.5,
    api="chat",
    cap_field="max_tokens",
    shape_field="response_format",
    encoding="o200k_base",
    reported_cost=True,
    fees={"web_search": UseFee(0.1, uses_max=3, tokens_max=20_000)},
)
LLAMA_TOML = """
[models.local]
name = "llama3:8b"
base_url = "http://127.0.0.1:11434/v1"
key_variable = "LOCAL_KEY"
price = {input = 0, output = 0.1, cached = 0.02, long = {above = 5, input = 1, output = 2}}
effort = "none"
reasoning_factor = 1.5
api = "chat"
cap_field = "max_tokens"
shape_field = "response_format"
encoding = "o200k_base"
reported_cost = true
fees.web_search = {usd = 0.1, uses_max = 3, tokens_max = 20_000}
"""
LLAMA_ENVIRON = {
    "THRIFTY_MODELS__LOCAL__NAME": "llama3:8b",
    "THRIFTY_MODELS__LOCAL__BASE_URL": "http://127.0.0.1:11434/v1",
    "THRIFTY_MODELS__LOCAL__KEY_VARIABLE": "LOCAL_KEY",
    "THRIFTY_MODELS__LOCAL__PRICE__INPUT": "0",
    "THRIFTY_MODELS__LOCAL__PRICE__OUTPUT": "0.1",
    "THRIFTY_MODELS__LOCAL__PRICE__CACHED": "0.02",
    "THRIFTY_MODELS__LOCAL__PRICE__LONG__ABOVE": "5",
    "THRIFTY_MODELS__LOCAL__PRICE__LONG__INPUT": "1",
    "THRIFTY_MODELS__LOCAL__PRICE__LONG__OUTPUT": "2",
    "THRIFTY_MODELS__LOCAL__EFFORT": "none",
    "THRIFTY_MODELS__LOCAL__REASONING_FACTOR": "1.5",
    "THRIFTY_MODELS__LOCAL__API": "chat",
    "THRIFTY_MODELS__LOCAL__CAP_FIELD": "max_tokens",
    "THRIFTY_MODELS__LOCAL__SHAPE_FIELD": "response_format",
    "THRIFTY_MODELS__LOCAL__ENCODING": "o200k_base",
    "THRIFTY_MODELS__LOCAL__REPORTED_COST": "true",
    "THRIFTY_MODELS__LOCAL__FEES__WEB_SEARCH__USD": "0.1",
    "THRIFTY_MODELS__LOCAL__FEES__WEB_SEARCH__USES_MAX": "3",
    "THRIFTY_MODELS__LOCAL__FEES__WEB_SEARCH__TOKENS_MAX": "20000",
}


@pytest.fixture
def read(monkeypatch, tmp_path):
    """Reads settings from variables and, where there is one, from a file."""
    monkeypatch.setenv("THRIFTY_HOME", str(tmp_path))

    def read_settings(environ=(), toml=None):
        for name, value in dict(environ).items():
            monkeypatch.setenv(name, value)
        if toml is not None:
            (tmp_path / "thrifty.toml").write_text(toml, "utf-8")
        return Settings.from_environment()

    return read_settings


def test_a_key_or_a_server_is_all_that_has_to_be_set(read):
    assert read() == Settings()
    openai = read({"OPENAI_API_KEY": " sk-1 "})
    assert openai == Settings(api_key="sk-1")
    assert "sk-1" not in repr(openai)
    own = read({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "THRIFTY_CAP_FIELD": "max_tokens"})
    assert (own.base_url, own.cap_field) == ("http://127.0.0.1:1/v1", "max_tokens")


def test_prices_come_as_json_and_exactly(read):
    prices = read({"THRIFTY_PRICES": '{"llama3": {"input": 0, "output": 0.1}}'}).prices
    assert prices == {"llama3": TokenPrice(0, 0.1)}


@pytest.mark.parametrize("source", [{"environ": LLAMA_ENVIRON}, {"toml": LLAMA_TOML}])
def test_a_model_is_described_by_variables_or_in_a_file(read, source):
    assert read(**source).models == {"local": LLAMA}
    assert Model.read("models.local", LLAMA.to_state()) == LLAMA


def test_a_name_is_enough_and_a_variable_wins_over_the_file(read):
    toml = f'[models]\nstrong = "gpt-5"\ncheap = "openai:gpt-5-mini"\n{LLAMA_TOML}'
    environ = {"THRIFTY_MODELS__CHEAP": "gpt-5-nano", "THRIFTY_MODELS__LOCAL__EFFORT": "high"}
    models = read(environ, toml).models
    assert list(models) == ["strong", "cheap", "local"]
    assert (models["strong"], models["cheap"]) == (Model("gpt-5"), Model("gpt-5-nano"))
    assert (models["local"].name, models["local"].effort) == ("llama3:8b", "high")


def test_a_file_is_named_and_never_found_where_a_program_happens_to_run(
    read, monkeypatch, tmp_path
):
    """It says where keys are sent, and the current folder may be anybody's."""
    here = tmp_path / "cloned"
    here.mkdir()
    (here / "thrifty.toml").write_text('[models]\nstrong = "theirs"\n')
    monkeypatch.chdir(here)
    assert read().models == {}
    assert read({"THRIFTY_SETTINGS": "thrifty.toml"}).models == {"strong": Model("theirs")}


@pytest.mark.parametrize(
    ("environ", "field"),
    [
        ({"OPENAI_BASE_URL": "file:///etc/passwd"}, "base_url"),
        ({"THRIFTY_API": "grpc"}, "api"),
        ({"THRIFTY_CAP_FIELD": "max_words"}, "cap_field"),
        ({"THRIFTY_CAP_FIELD": "max_tokens"}, "cap_field"),
        ({"THRIFTY_PRICES": "{"}, "THRIFTY_PRICES"),
        ({"THRIFTY_PRICES": "[]"}, "prices"),
        ({"THRIFTY_PRICES": '{"m": {"input": -1, "output": 0}}'}, "prices.m.input"),
        ({"THRIFTY_PRICES": '{"m": {"input": NaN, "output": 0}}'}, "prices.m.input"),
        ({"THRIFTY_PRICES": '{"m": {"in": 1}}'}, "prices.m.in"),
        ({"THRIFTY_PRICES": "[" * 100_000}, "THRIFTY_PRICES"),
        ({"THRIFTY_MODELS": "gpt-5"}, "THRIFTY_MODELS"),
        ({"THRIFTY_MODELS__STRONG__NAM": "gpt-5"}, "models.strong.nam"),
        ({"THRIFTY_MODELS__STRONG__EFFORT": "low"}, "models.strong.name"),
        ({"THRIFTY_MODELS__STRONG": "cohere:command-a"}, "models.strong.name"),
        ({"THRIFTY_SETTINGS": "/nowhere/thrifty.toml"}, "THRIFTY_SETTINGS"),
    ],
)
def test_a_variable_that_cannot_be_used_is_refused(read, environ, field):
    with pytest.raises(InvalidInput) as refused:
        read(environ)
    assert refused.value.field == field
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("toml", "field"),
    [
        ("model = 5", "model"),
        ("[models]\nstrong = 5", "models.strong"),
        ("[models.strong]\nname = 'm'\nprice = {input = 1, out = 2}", "models.strong.price.out"),
        ("[models.strong]\nname = 'm'\nkey = 'sk-secret'", "models.strong.key"),
        ("key = 'sk-secret'", "key"),
        ("OPENAI_API_KEY = 'sk-secret'", "OPENAI_API_KEY"),
    ],
)
def test_a_field_of_the_file_that_cannot_be_used_is_refused(read, toml, field):
    """Nothing repeats what may be a key."""
    with pytest.raises(InvalidInput) as refused:
        read(toml=toml)
    assert refused.value.field == field
    assert "sk-secret" not in str(refused.value)


def test_a_file_that_is_no_toml_is_refused_by_its_path(read, tmp_path):
    with pytest.raises(InvalidInput, match="correct it: ") as refused:
        read(toml="[models")
    assert refused.value.field == str(tmp_path / "thrifty.toml")


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("models", lambda: Settings(models="gpt-5")),
        ("models", lambda: Settings(models={"Strong": "gpt-5"})),
        ("models", lambda: Settings(models={"": "gpt-5"})),
        ("models.strong", lambda: Settings(models={"strong": 5})),
        ("models.strong.name", lambda: Settings(models={"strong": " "})),
        ("name", lambda: Model("")),
        ("name", lambda: Model("openai:")),
        ("base_url", lambda: Model("m", base_url="127.0.0.1")),
        ("key_variable", lambda: Model("m", key_variable="sk-secret-key")),
        ("price", lambda: Model("m", price=5)),
        ("effort", lambda: Model("m", effort="much")),
        ("reasoning_factor", lambda: Model("m", reasoning_factor=0.5)),
        ("api", lambda: Model("m", api="grpc")),
        ("cap_field", lambda: Model("m", api="responses", cap_field="max_tokens")),
        ("encoding", lambda: Model("m", encoding="gpt-4o")),
        ("encoding", lambda: Model("anthropic:m", encoding="o200k_base")),
        ("shape_field", lambda: Model("m", shape_field="grammar")),
        ("shape_field", lambda: Model("m", api="responses", shape_field="response_format")),
    ],
)
def test_a_model_that_cannot_be_is_refused(field, make):
    with pytest.raises(InvalidInput) as refused:
        make()
    assert refused.value.field == field
    assert "sk-secret-key" not in str(refused.value)


def test_a_chat_model_is_kept_as_it_is():
    model = ChatOpenAI(model="gpt-5", api_key="sk-1")
    assert Settings(models={"strong": model}).models["strong"] is model

"""`thrifty doctor` with models of several vendors, and `--try`, which asks each for a word."""

import json
import os

import pytest

from tests.harness.llm_server import Answer, LLMServer, TooManyRequests, Unauthorized
from thrifty import SqliteLedger
from thrifty.models.providers.anthropic import AnthropicModel

HAIKU = "anthropic:claude-haiku-4-5"
OPENAI_KEY, CLAUDE_KEY = "sk-openai-canary", "sk-ant-canary"


@pytest.fixture
def openai():
    with LLMServer(api_key=OPENAI_KEY) as running:
        yield running


@pytest.fixture
def claude():
    with LLMServer(api_key=CLAUDE_KEY, models=["claude-haiku-4-5"]) as running:
        yield running


@pytest.fixture
def look(invoke, home, openai, claude):
    """Looks at a strong model of OpenAI's and a cheap one of Anthropic's.

    Returns the exit code, and the findings by role and by what they are about.
    """

    def run(*arguments, models=None, **environ):
        env = {
            "OPENAI_API_KEY": OPENAI_KEY,
            "OPENAI_BASE_URL": openai.base_url,
            "ANTHROPIC_API_KEY": CLAUDE_KEY,
            "ANTHROPIC_BASE_URL": claude.root_url,
            "THRIFTY_MODELS": json.dumps(models or {"strong": "gpt-4.1", "cheap": HAIKU}),
            **environ,
        }
        result = invoke("doctor", "--json", *arguments, env=env)
        assert result.stderr == ""
        assert "canary" not in result.stdout
        assert "exactly" not in result.stdout
        findings = json.loads(result.stdout)["findings"]
        return result.exit_code, {(f["role"], f["about"]): f for f in findings}

    return run


def booked(home) -> dict[str, int]:
    """What each role's trial was charged, in tokens."""
    ledger = SqliteLedger(home / "ledger.sqlite")
    try:
        entries = {info.name: ledger.entries(info.name) for info in ledger.accounts()}
    finally:
        ledger.disconnect()
    return {
        name.removeprefix("trial:").partition("/")[0]: sum(e.charged.tokens for e in each)
        for name, each in entries.items()
    }


def test_each_role_is_looked_at_as_its_vendor_wants_it(look, openai, claude):
    code, found = look()
    assert (code, {finding["state"] for finding in found.values()}) == (0, {"ok"})
    says = {place: finding["says"] for place, finding in found.items()}
    assert says["cheap", "model"].startswith("claude-haiku-4-5, by Anthropic's protocol (langchain")
    assert says["cheap", "key"] == "ANTHROPIC_API_KEY is set"
    assert says["cheap", "server"].startswith(f"{claude.root_url} answered in ")
    assert "does not list" not in says["cheap", "server"]
    assert "$1.00 read and $5.00 written" in says["cheap", "price"]
    assert says["cheap", "answer"] == "at most 16,000 tokens are asked for"
    assert says["strong", "input"].startswith("its texts are counted by OpenAI's own encoding")
    assert "bytes are counted" in says["cheap", "input"]
    assert openai.bill.total_tokens == claude.bill.total_tokens == 0


def test_what_is_missing_of_one_vendor_is_said_of_its_role_alone(look):
    code, found = look(ANTHROPIC_API_KEY="", ANTHROPIC_BASE_URL="")
    assert (code, found["cheap", "key"]["state"]) == (0, "note")
    assert found["cheap", "key"]["remedy"] == "set ANTHROPIC_API_KEY"
    assert found["strong", "server"]["state"] == "ok"
    code, found = look(ANTHROPIC_API_KEY="sk-ant-wrong-canary")
    assert (code, found["cheap", "server"]["state"]) == (7, "fail")
    assert "(401)" in found["cheap", "server"]["says"]
    assert found["cheap", "server"]["remedy"] == "check ANTHROPIC_API_KEY"


def test_a_package_that_is_missing_is_named_with_what_installs_it(look, monkeypatch, invoke):
    monkeypatch.setattr(AnthropicModel, "package", "langchain-not-there")
    code, found = look()
    assert (code, found["cheap", "model"]["state"]) == (2, "fail")
    assert found["cheap", "model"]["remedy"] == "pip install 'thrifty[anthropic]'"
    assert found["strong", "server"]["state"] == "ok"
    refused = invoke("plan", "Is tea better?", "--models", HAIKU)
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "pip install 'thrifty[anthropic]'" in refused.stderr
    assert invoke("plan", "Is tea better?", "--models", HAIKU, "--offline").exit_code != 2


@pytest.mark.parametrize("effort", ["auto", "minimal"])
def test_trying_asks_each_once_for_a_word_and_says_what_it_cost(look, home, openai, claude, effort):
    cheap = {"name": HAIKU, "effort": effort}
    code, found = look("--try", models={"strong": "gpt-4.1", "cheap": cheap})
    assert (code, {finding["state"] for finding in found.values()}) == (0, {"ok"})
    asked = [each for each in (*openai.requests, *claude.requests) if each.method == "POST"]
    assert len(asked) == 2
    assert [each.output_cap for each in asked] == [16, 16 if effort == "auto" else 1_040]
    bills = {"strong": openai.bill.total_tokens, "cheap": claude.bill.total_tokens}
    assert booked(home) == bills
    for role, tokens in bills.items():
        assert f"for {tokens:,} tokens and $0.000" in found[role, "trial"]["says"]


def test_bedrock_is_looked_at_and_tried_where_awss_own_variables_say(look, home):
    haiku = "anthropic.claude-haiku-4-5-20251001-v1:0"
    with LLMServer() as amazon:
        code, found = look(
            "--try",
            models={"strong": f"bedrock:{haiku}"},
            AWS_ENDPOINT_URL_BEDROCK_RUNTIME=amazon.root_url,
            AWS_REGION="us-east-1",
            AWS_ACCESS_KEY_ID="AKIA-canary",
            AWS_SECRET_ACCESS_KEY="secret-canary",
        )
        address = amazon.root_url
    assert (code, {finding["state"] for finding in found.values()}) == (0, {"ok"})
    says = {about: finding["says"] for (role, about), finding in found.items() if role}
    assert says["model"].startswith(f"{haiku}, by Bedrock's protocol (langchain-aws")
    assert says["key"] == "region and credentials are those that AWS's own clients find"
    assert says["server"] == f"{address} has no list that is free; --try asks it"
    assert "$1.10 read and $5.50 written" in says["price"]
    assert len(amazon.requests) == 1
    assert booked(home) == {"strong": amazon.bill.total_tokens}


def test_without_a_region_or_credentials_of_amazons_it_says_what_to_name(look, home, monkeypatch):
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    _, found = look("--try", models={"strong": "bedrock:amazon.nova-lite-v1:0"})
    assert "You must specify a region" in found["strong", "trial"]["says"]
    assert "AWS_REGION" in found["strong", "trial"]["says"]
    with LLMServer() as amazon:
        at = {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": amazon.root_url}
        _, found = look("--try", models={"strong": "bedrock:amazon.nova-lite-v1:0"}, **at)
        assert not amazon.requests
    assert "NoCredentialsError" in found["strong", "trial"]["says"]
    assert booked(home) == {"strong": 0}


def test_what_a_server_says_to_a_trial_is_passed_on(look, home, openai, claude):
    openai.script(TooManyRequests(times=None))
    claude.script(Unauthorized(times=None))
    code, found = look("--try")
    assert code == 7
    assert "too many requests (429)" in found["strong", "trial"]["says"]
    assert "(401)" in found["cheap", "trial"]["says"]
    assert booked(home) == {"strong": 0, "cheap": 0}


def test_a_model_without_a_price_is_tried_all_the_same(look, claude):
    claude.script(Answer("Hi."))
    models = {"cheap": {"name": "house", "base_url": claude.base_url, "key_variable": "HOUSE_KEY"}}
    with LLMServer() as house:
        models["cheap"]["base_url"] = house.base_url
        code, found = look("--try", models=models, HOUSE_KEY="sk-house")
    assert code == 0
    assert "a price that nobody here knows" in found["cheap", "trial"]["says"]


def test_where_nothing_can_be_asked_nothing_is_tried(look, openai, claude):
    code, found = look("--try", "--offline")
    assert (code, found["", "trial"]["state"]) == (0, "note")
    assert not openai.requests
    assert not claude.requests

"""`thrifty doctor`: what is missing is found, and it says what to do."""

import json
import os
import socket

import pytest

from tests.harness.llm_server.server import LLMServer
from thrifty.models.roles import probe

KEY = "sk-secret-key"


@pytest.fixture
def look(invoke, tmp_path):
    """Looks, and returns the exit code and the findings by what they are about."""

    def run(*arguments, **environ):
        env = {"THRIFTY_HOME": str(tmp_path / "home"), **environ}
        result = invoke("doctor", "--json", *arguments, env=env)
        assert result.stderr == ""
        assert KEY not in result.stdout
        given = json.loads(result.stdout)
        assert given["exit_code"] == result.exit_code
        return result.exit_code, {finding["about"]: finding for finding in given["findings"]}

    return run


@pytest.fixture
def server():
    with LLMServer(api_key=KEY, models=["gpt-5", "gpt-5-mini"]) as running:
        yield running


def test_offline_is_worth_a_note_and_nothing_is_missing(look):
    code, found = look()
    assert code == 0
    assert {about: finding["state"] for about, finding in found.items()} == {
        "key": "note",
        "store": "ok",
        "files": "ok",
    }
    assert "OPENAI_API_KEY" in found["key"]["remedy"]


def test_with_key_and_server_all_is_well(look, server):
    code, found = look("--base-url", server.base_url, OPENAI_API_KEY=KEY)
    assert (code, {finding["state"] for finding in found.values()}) == (0, {"ok"})
    assert list(found) == [
        *("model", "key", "server", "price", "answer", "input", "store", "files")
    ]
    assert "answered in" in found["server"]["says"]
    assert "for a million tokens" in found["price"]["says"]
    assert server.bill.total_tokens == 0


def test_a_refused_key_is_named(look, server):
    code, found = look("--base-url", server.base_url, OPENAI_API_KEY="sk-wrong")
    assert (code, found["server"]["state"]) == (7, "fail")
    assert "(401)" in found["server"]["says"]
    assert found["server"]["remedy"] == "check OPENAI_API_KEY"


def test_a_model_that_is_not_there_has_neither_price_nor_encoding(look, server):
    at = ["--base-url", server.base_url, "--models", "llama3"]
    code, found = look(*at, OPENAI_API_KEY=KEY)
    assert code == 0
    assert [found[about]["state"] for about in ("server", "price", "input")] == [
        "note",
        "note",
        "ok",
    ]
    assert "choose with --models: gpt-5, gpt-5-mini" in found["server"]["remedy"]
    assert "THRIFTY_PRICES" in found["price"]["remedy"]
    assert "bytes are counted" in found["input"]["says"]
    named = '{"strong": {"name": "llama3", "encoding": "o200k_base"}}'
    told = look("--base-url", server.base_url, OPENAI_API_KEY=KEY, THRIFTY_MODELS=named)[1]
    assert "counted by o200k_base, as you say" in told["input"]["says"]
    priced = '{"llama3": {"input": 0, "output": 0.5}}'
    assert look(*at, OPENAI_API_KEY=KEY, THRIFTY_PRICES=priced)[1]["price"]["state"] == "ok"


def test_what_searches_cost_is_said_or_how_to_say_it(look, server):
    at = ("--base-url", server.base_url)
    searching = {"name": "sonar", "price": {"input": 1, "output": 1}}
    given = {"OPENAI_API_KEY": KEY, "THRIFTY_MODELS": json.dumps({"strong": searching})}
    price = look(*at, **given)[1]["price"]
    assert price["says"].startswith("sonar, which searches by itself: with a limit on cost")
    assert "Model(..., fees=" in price["remedy"]
    searching["fees"] = {"web_search": {"usd": 0.005, "uses_max": 2, "tokens_max": 0}}
    given["THRIFTY_MODELS"] = json.dumps({"strong": searching})
    price = look(*at, **given)[1]["price"]
    assert price["state"] == "ok"
    assert price["says"].endswith("and $0.005 for each of at most 2 searches")


TWO_ROLES = """
[models]
strong = "gpt-5"

[models.local]
name = "llama3"
base_url = "{address}"
key_variable = "LOCAL_KEY"
"""


def test_each_role_is_looked_at(invoke, server, tmp_path):
    (tmp_path / "thrifty.toml").write_text(TWO_ROLES.format(address=server.base_url))
    env = {"THRIFTY_HOME": str(tmp_path), "LOCAL_KEY": KEY}

    def found(**more):
        shown = invoke("doctor", "--json", env={**env, **more}).stdout
        findings = json.loads(shown)["findings"]
        return {(f["role"], f["about"]): (f["state"], f["says"]) for f in findings if f["role"]}

    with LLMServer() as other:
        both = found(OPENAI_BASE_URL=other.base_url)
    abouts = ("model", "key", "server", "price", "answer", "input")
    assert set(both) == {(role, about) for role in ("strong", "local") for about in abouts}
    assert both["local", "key"] == ("ok", "LOCAL_KEY is set")
    assert both["local", "server"][0] == "note"
    assert "does not list llama3" in both["local", "server"][1]
    # OpenAI's key is missing, and OpenAI is not asked.
    assert found()["strong", "key"] == ("note", "offline: no key and no server")
    assert ("strong", "server") not in found()


def test_a_server_that_lists_no_models_is_a_server(look, server):
    address = server.base_url.replace("/v1", "/other/v1")
    code, found = look("--base-url", address, OPENAI_API_KEY=KEY)
    assert (code, found["server"]["state"]) == (0, "ok")
    assert "lists no models" in found["server"]["says"]


def test_a_server_that_is_not_there(look):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    code, found = look("--base-url", f"http://127.0.0.1:{port}/v1")
    assert (code, found["server"]["state"]) == (7, "fail")
    assert "cannot be reached" in found["server"]["says"]
    assert "OPENAI_BASE_URL" in found["server"]["remedy"]


def test_a_server_that_hangs_is_left_at_the_deadline(look, monkeypatch):
    monkeypatch.setattr(probe, "DEADLINE_MS", 300)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        code, found = look("--base-url", f"http://127.0.0.1:{hanging.getsockname()[1]}/v1")
    assert code == 7
    assert "deadline" in found["server"]["says"]


@pytest.mark.parametrize("home", ["/proc/thrifty", "/dev/null"])
def test_a_store_that_cannot_be_written_to(look, home):
    code, found = look(THRIFTY_HOME=home)
    assert (code, found["store"]["state"]) == (10, "fail")
    assert "THRIFTY_HOME" in found["store"]["remedy"]


def test_a_ledger_that_is_damaged_is_found(look, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "ledger.sqlite").write_bytes(b"a shopping list " * 1_000)
    code, found = look()
    assert code == 10
    assert "move the file away" in found["store"]["says"]


def test_it_leaves_nothing_in_the_store(look, tmp_path):
    look()
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_ledger_that_is_read_only_is_found(look, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "ledger.sqlite").touch(0o400)
    code, found = look()
    assert code == 10
    assert "ledger.sqlite" in found["store"]["says"]


def test_for_a_person_each_finding_has_a_mark_and_a_remedy(invoke, tmp_path):
    shown = invoke("doctor", env={"THRIFTY_HOME": str(tmp_path)})
    assert shown.exit_code == 0
    assert shown.stdout.startswith("! key ")
    assert "→ for models, set OPENAI_API_KEY or OPENAI_BASE_URL" in shown.stdout
    assert "✓ store" in shown.stdout


def test_bad_input_is_one_line(invoke):
    result = invoke("doctor", "--base-url", "ftp://h")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "--base-url: got 'ftp://h'" in result.stderr

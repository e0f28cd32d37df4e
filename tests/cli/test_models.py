"""`--models`: the models of a run by role, and what of them is kept for a resume."""

import json

import pytest

from tests.cli.conftest import KEY
from tests.graph.conftest import EDITOR, REVISED
from tests.harness.llm_server import Answer

BUDGET = ("--max-tokens", "20000", "--max-tool-calls", "5")
CATALOG = """
steps:
  - name: Aims
    options:
      - {executor: llm, description: Say what., tokens: 300, latency_ms: 900, tool_calls: 1,
         value: 9, payload: {model: cheap}}
      - {executor: local, description: List., tokens: 0, latency_ms: 5, tool_calls: 0, value: 1}
"""


@pytest.fixture
def ask(invoke, server, monkeypatch):
    """Runs with the loopback server's models, and returns which were asked."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def run(*options):
        server.clear()
        server.script(Answer(REVISED, when=EDITOR, times=None))
        result = invoke("run", "Plan a tea party", "--base-url", server.base_url, *BUDGET, *options)
        assert result.exit_code == 0, result.output
        return [request.model for request in server.requests]

    return run


def test_a_model_alone_does_everything(ask):
    assert set(ask("--models", "tiny")) == {"tiny"}


def test_each_role_has_its_model(ask):
    asked = ask("--models", "strong=large, cheap=small")
    assert asked[0] == "small"
    assert set(asked[1:]) == {"large"}


def test_a_role_of_the_settings_is_chosen_by_its_name(ask, home, server):
    at = f'base_url = "{server.base_url}"'
    (home / "thrifty.toml").write_text(
        f'[models]\nstrong = "s"\n[models.local]\nname = "l"\n{at}\n'
    )
    assert set(ask()) == {"s"}
    assert set(ask("--models", "local")) == {"l"}


def test_an_effort_is_that_of_every_model(ask, server):
    ask("--models", "strong=large,cheap=small", "--effort", "high")
    assert {request.body["reasoning_effort"] for request in server.requests} == {"high"}


@pytest.mark.parametrize(
    "models", ["", "a,b", "strong=a,strong=b", "strong=", "=a", "Strong=a", "cohere:x", "strong=a,"]
)
def test_a_list_that_cannot_be_read_is_refused_in_a_line(invoke, models):
    result = invoke("plan", "x", "--models", models)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "--models: got " in result.stderr


def test_a_recipe_whose_role_is_not_there_is_refused(invoke, tmp_path):
    (tmp_path / "own.yaml").write_text(CATALOG)
    recipe = ("--recipe", str(tmp_path / "own.yaml"))
    assert invoke("plan", "x", *recipe).exit_code == 0
    result = invoke("plan", "x", *recipe, "--models", "tiny")
    assert result.exit_code == 2
    assert "payload.model: got 'cheap'; use one of the deployment's model roles: strong" in (
        result.stderr
    )


def test_a_kept_run_knows_its_models_and_no_key(ask, home):
    ask("--models", "strong=large,cheap=small", "--effort", "high")
    (file,) = home.glob("runs/*/request.json")
    kept = json.loads(file.read_text())["settings"]["models"]
    assert kept == {
        "strong": {"name": "large", "effort": "high"},
        "cheap": {"name": "small", "effort": "high"},
    }
    assert KEY not in file.read_text()

"""`thrifty plan`, `thrifty options`, and the help texts."""

import json
import re

import pytest

from thrifty.options.recipe import proposal_text

ONLINE = {"OPENAI_API_KEY": "sk-test"}


def test_a_plan_says_what_why_and_why_not(invoke):
    result = invoke(
        "plan", "x", "--max-tokens", "2200", "--max-latency-ms", "3500", "--max-tool-calls", "2",
        env=ONLINE,
    )  # fmt: skip
    assert result.exit_code == 0
    assert re.search(r"Outline plan \(LLM\) +llm +600 +1,200 +1 +10\.0", result.stdout)
    assert re.search(r"Expected +[\d,]+ +[\d,]+ +2 ", result.stdout)
    assert "was chosen for this step" in result.stdout
    assert "Offline" not in result.stdout
    assert "extra steps" in result.stdout


def test_a_plan_as_json(invoke):
    given = json.loads(invoke("plan", "x", "--max-tokens", "2200", "--json").stdout)
    more = ["shadow_prices", "entries", "asking"]
    assert list(given) == ["verdict", "budget", "expected", "plan", *more]
    assert given["expected"]["tokens"] <= 2200


def test_with_a_limit_on_cost_prices_count(invoke):
    priced = invoke("plan", "x", "--max-cost-usd", "1", "--models", "gpt-4.1", env=ONLINE)
    assert re.search(r"Outline plan \(LLM\) +llm +600 +\$0\.00\d+", priced.stdout)
    unknown = invoke("plan", "x", "--max-cost-usd", "1", "--models", "mine-1", env=ONLINE)
    assert "no price is known for model 'mine-1'" in unknown.stdout


def test_a_plan_is_what_the_agent_would_plan(invoke):
    """The preview is made without the graph, and must not tell another story."""
    limits = ["--max-tokens", "700", "--max-tool-calls", "0"]
    previewed = json.loads(invoke("plan", "x", *limits, "--json").stdout)["plan"]
    run = json.loads(invoke("run", "x", *limits, "--json", "--quiet").stdout)
    assert previewed["chosen"] == run["plan"]["chosen"]
    assert previewed["left_out"] == run["plan"]["left_out"]


def test_plan_frontier_and_run_agree_on_a_long_task(invoke, server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    given = [" ".join(["Move", *["each of the vans"] * 400]), "--max-tokens", "9000", "--json"]
    previewed = json.loads(invoke("plan", *given).stdout)["plan"]
    curve = json.loads(invoke("frontier", *given).stdout)
    run = json.loads(invoke("run", *given, "--quiet", "--no-proposals").stdout)
    expected = sum(option["estimate"]["tokens"] for option in previewed["chosen"])
    assert max(option["estimate"]["tokens"] for option in previewed["chosen"]) > 1_500
    assert run["receipt"]["planned"]["tokens"] == expected
    assert curve["chosen"]["value"] == pytest.approx(previewed["value"])


def test_options_shows_the_recipe_and_its_text(invoke):
    table = invoke("options")
    assert re.search(r"Risk register \(LLM\) +llm +700 +1,400 +1 +9\.0", table.stdout)
    assert "revises the draft" in table.stdout
    assert invoke("options", "--yaml").stdout == proposal_text()


def test_the_printed_recipe_can_be_used(invoke, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(invoke("options", "--yaml").stdout, encoding="utf-8")
    assert invoke("options", "--recipe", str(file)).stdout == invoke("options").stdout
    both = invoke("options", "--yaml", "--recipe", str(file))
    assert (both.exit_code, both.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_commands_examples_and_the_environment(invoke, arguments):
    result = invoke(*arguments)
    assert result.exit_code == 0
    for word in ("run", "plan", "options", "OPENAI_API_KEY", "THRIFTY_PRICES", "Examples"):
        assert word in result.stdout


def test_the_help_of_run_names_every_exit_code(invoke):
    shown = invoke("run", "--help").stdout
    for code in ("0", "1", "2", "3", "4", "5", "6", "7", "130"):
        assert re.search(rf"^ +{code}  ", shown, re.MULTILINE)


def test_the_version(invoke):
    assert re.fullmatch(r"thrifty \d+\.\d+\.\d+\n", invoke("--version").stdout)


def test_a_plan_says_what_more_budget_would_buy(invoke):
    server = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    shown = invoke("plan", "x", "--max-tokens", "2200", env=server).stdout
    assert "100 tokens more would be worth +3.2" in shown
    assert "Risk register (LLM) comes in with 79 tokens more" in shown


def test_a_plan_without_what_is_required_is_none(invoke, tmp_path):
    recipe = tmp_path / "my.yaml"
    recipe.write_text(
        "steps: [{name: Alpha, required: true, options: [{executor: llm, description: d,"
        " tokens: 60, latency_ms: 9, tool_calls: 1, value: 9}]}]"
    )
    result = invoke("plan", "x", "--recipe", str(recipe))
    assert result.exit_code == 4
    told = "the required step 'Alpha' cannot be done: offline: no key and no server"
    assert told in result.stdout + result.stderr


def test_what_ties_with_the_plan_is_not_offered_for_nothing(invoke):
    server = ("--base-url", "http://127.0.0.1:9/v1", "--budget", "2k tokens, 1 call")
    result = invoke("plan", "Draft a project plan for a tea party", "--no-learn", *server)
    assert "comes in with 1 call more" in result.stdout
    assert " 0 tokens" not in result.stdout

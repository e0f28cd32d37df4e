"""`thrifty plan`, `thrifty options`, and the help texts."""

import json
import re

import pytest

from thrifty.executors.catalog import catalog_text

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
    assert list(given) == ["verdict", "budget", "expected", "plan"]
    assert given["expected"]["tokens"] <= 2200


def test_with_a_limit_on_cost_prices_count(invoke):
    priced = invoke("plan", "x", "--max-cost-usd", "1", "--model", "gpt-4.1", env=ONLINE)
    assert re.search(r"Outline plan \(LLM\) +llm +600 +\$0\.00\d+", priced.stdout)
    unknown = invoke("plan", "x", "--max-cost-usd", "1", "--model", "mine-1", env=ONLINE)
    assert "no price is known for model 'mine-1'" in unknown.stdout


def test_a_plan_is_what_the_agent_would_plan(invoke):
    """The preview is made without the graph, and must not tell another story."""
    limits = ["--max-tokens", "700", "--max-tool-calls", "0"]
    previewed = json.loads(invoke("plan", "x", *limits, "--json").stdout)["plan"]
    run = json.loads(invoke("run", "x", *limits, "--json", "--quiet").stdout)
    assert previewed["chosen"] == run["plan"]["chosen"]
    assert previewed["left_out"] == run["plan"]["left_out"]


def test_options_shows_the_catalog_and_its_text(invoke):
    table = invoke("options")
    assert re.search(r"Risk register \(LLM\) +llm +700 +1,400 +1 +9\.0", table.stdout)
    assert "revises the draft" in table.stdout
    assert invoke("options", "--yaml").stdout == catalog_text()


def test_the_printed_catalog_can_be_used(invoke, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(invoke("options", "--yaml").stdout, encoding="utf-8")
    assert invoke("options", "--catalog", str(file)).stdout == invoke("options").stdout
    both = invoke("options", "--yaml", "--catalog", str(file))
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

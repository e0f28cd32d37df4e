"""`thrifty estimates`, and what the command line's runs learn from each other."""

import json

import pytest

from tests.harness.llm_server import Answer, LLMServer
from thrifty.cli.exit_codes import WARNED

NOTHING = {"estimates": [], "results": [], "checks": [], "second_attempts": []}
ONLINE = ("--max-tokens", "3000", "--no-proposals")


@pytest.fixture
def env():
    with LLMServer() as server:
        server.script(Answer(tokens=150, times=None))
        yield {"OPENAI_BASE_URL": server.base_url}


def test_before_any_run_the_recipe_counts(invoke, home):
    assert "its estimates count as they are" in invoke("estimates").stdout
    assert json.loads(invoke("estimates", "--json").stdout) == NOTHING
    assert not list(home.iterdir())


def test_runs_are_learned_from_and_planned_with(invoke, env):
    before = json.loads(invoke("plan", "x", *ONLINE, "--json", env=env).stdout)
    for _ in range(3):
        assert invoke("run", "Plan a party", *ONLINE, env=env).exit_code == WARNED
    shown = invoke("estimates", env={"COLUMNS": "120"}).stdout
    assert "Outline plan (LLM)" in shown
    assert "gpt-5" in shown
    rows = {
        row["option"]: row for row in json.loads(invoke("estimates", "--json").stdout)["estimates"]
    }
    outline = rows["Outline plan (LLM)"]
    assert (outline["bills"], outline["model"], outline["declared"]["tokens"]) == (3, "gpt-5", 600)
    assert outline["expected"]["tokens"] < 500
    after = json.loads(invoke("plan", "x", *ONLINE, "--json", env=env).stdout)
    assert after["expected"]["tokens"] < before["expected"]["tokens"]
    assert (
        json.loads(invoke("plan", "x", *ONLINE, "--json", "--no-learn", env=env).stdout) == before
    )


@pytest.mark.parametrize("flag", ["--no-learn", "--no-save"])
def test_a_run_can_leave_no_bill(invoke, env, flag):
    assert invoke("run", "Plan a party", *ONLINE, flag, env=env).exit_code == WARNED
    assert json.loads(invoke("estimates", "--json").stdout) == NOTHING


def test_ratings_are_shown_by_kind_of_work_and_who_did_it(invoke, env):
    assert invoke("run", "Plan a party", *ONLINE, env=env).exit_code == WARNED
    assert invoke("rate", "last", "Outline plan=0.5").exit_code == 0
    data = json.loads(invoke("estimates", "--json").stdout)
    (row,) = data["results"]
    assert (row["kind"], row["model"], row["right"], row["rated"]) == (
        *("Outline plan", "gpt-5"),
        *(0.5, 1.0),
    )
    shown = invoke("estimates", env={"COLUMNS": "120"}).stdout
    assert "Kind of work" in shown


def test_a_file_that_is_damaged_stops_no_run_and_is_told_of(invoke, home, env):
    (home / "estimates.sqlite").write_text("no database" * 100)
    assert invoke("run", "Plan a party", *ONLINE, env=env).exit_code == WARNED
    assert invoke("plan", "Plan a party", *ONLINE, env=env).exit_code == 0
    result = invoke("estimates")
    assert result.exit_code == 2
    assert "estimates.sqlite" in result.stderr
    assert "delete it" in result.stderr

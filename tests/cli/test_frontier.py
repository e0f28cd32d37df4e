"""`thrifty frontier`: the curve, the stairs, and what the next bit buys."""

import json

import pytest

from tests.cli.samples import HOSTILE
from thrifty.receipt.wording import NOTHING_GAINED

ONLINE = {"OPENAI_API_KEY": "sk-test"}
BUDGET = ["--budget", "2.2k tokens, 1 cent, 5s, 4 calls"]


def test_it_shows_the_curve_the_stairs_and_the_next_thing_to_buy(invoke):
    shown = invoke("frontier", "x", *BUDGET, "--over", "cost", env=ONLINE)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "●" in shown.stdout
    assert "cost from" in shown.stdout
    assert "+ Outline plan (LLM)" in shown.stdout
    assert shown.stdout.splitlines()[-1].startswith("The next $0.0")
    assert " buys " in shown.stdout.splitlines()[-1]


def test_as_json_it_has_every_point_and_the_plan_of_the_budget(invoke):
    given = json.loads(invoke("frontier", "x", *BUDGET, "--json", env=ONLINE).stdout)
    planned = json.loads(invoke("plan", "x", *BUDGET, "--json", env=ONLINE).stdout)
    shares = ["best", "share"]
    told = ["points", "next", "says", "asking"]
    assert list(given) == ["budget", "over", "chosen", *shares, *told]
    assert given["asking"] is None
    assert len(given["points"]) == 50
    assert given["points"][24] == given["chosen"]
    assert given["chosen"]["value"] == planned["plan"]["value"]
    assert given["points"][49]["budget"]["max_tokens"] == 4400
    values = [point["value"] for point in given["points"]]
    assert values == sorted(values)
    assert (given["best"], given["share"]) == (planned["plan"]["best"], planned["plan"]["share"])
    worth, *upgrades = given["says"]
    assert worth == "Your budget buys 29.3, 71% of the best without limits (41.5)."
    assert len(upgrades) == len(given["next"]) > 0


def test_where_only_several_limits_together_would_help_it_says_so(invoke):
    tight = ["--budget", "2.2k tokens, 3.5s, 2 calls", "--json"]
    given = json.loads(invoke("frontier", "x", *tight, env=ONLINE).stdout)
    assert given["next"] == []
    _, sentence = given["says"]
    assert sentence.startswith("No limit alone buys more. 1")
    assert "Risk register (LLM) in place of Risk register (local)" in sentence


def test_where_nothing_is_kept_out_it_says_so(invoke):
    shown = invoke("frontier", "x")
    assert shown.exit_code == 0
    assert " ".join(shown.stdout.split()).endswith(NOTHING_GAINED)


def test_where_nothing_fits_it_says_what_would(invoke):
    shown = invoke("frontier", "x", "--budget", "0 tokens")
    assert shown.exit_code == 4
    assert "tokens buy Clarify deliverables (local), +6.0" in shown.stdout


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_curve_as_a_file(invoke, tmp_path, ending):
    file = tmp_path / f"value.{ending}"
    shown = invoke("frontier", "x", *BUDGET, "--plot", str(file), "--points", "4")
    assert shown.exit_code == 0
    assert f"Curve written to {file}." in shown.stderr
    assert file.stat().st_size > 1_000


CASES = {
    "no such resource": (["--over", "money"], "'money'", "cost"),
    "no limit on it": (
        ["--max-tokens", "9", "--over", "cost"],
        "--over: got 'cost'",
        "all, tokens",
    ),
    "no points": (["--points", "0"], "--points: got 0", "from 1 to"),
    "points, no number": (["--points", "many"], "--points: got 'many'", "whole number"),
    "another format": (["--plot", "a.jpg"], "--plot: got 'a.jpg'", ".png or .svg"),
    "no such folder": (["--plot", "/no/such/a.png"], "--plot: got", "can be written to"),
    "an unknown unit": (["--budget", "3 wishes"], "--budget: got '3 wishes'", "number and a unit"),
}


@pytest.mark.parametrize(("arguments", "what", "remedy"), CASES.values(), ids=CASES)
def test_bad_input_is_one_line(invoke, arguments, what, remedy):
    result = invoke("frontier", "x", *arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert what in result.stderr
    assert remedy in result.stderr


def test_hostile_names_are_shown_and_not_obeyed(invoke, tmp_path):
    file = tmp_path / "my.yaml"
    options = [{"executor": "local", "description": "d", "tokens": 5, "latency_ms": 1,
                "tool_calls": 0, "value": 1}]  # fmt: skip
    name = HOSTILE.replace("\ud800", "").replace("\0", "")
    file.write_text(json.dumps({"steps": [{"name": name, "options": options}]}))
    shown = invoke("frontier", "x", "--recipe", str(file), "--max-tokens", "9")
    assert shown.exit_code == 0
    assert "\x1b" not in shown.stdout
    assert "[/]" in shown.stdout


def test_an_answer_that_is_planned_short_is_on_the_curve_as_it_is_in_the_plan(invoke):
    """Without that, a budget that buys half an answer would be told to buy nothing."""
    given = ("Write a report", "--recipe", "answer", "--words", "2000", "--plan-steps", "never")
    given += ("--budget", "2k tokens", "--models", "gpt-4.1", "--json")
    drawn = json.loads(invoke("frontier", *given, env=ONLINE).stdout)
    planned = json.loads(invoke("plan", *given, env=ONLINE).stdout)["plan"]
    assert 0 < planned["share"] < 0.6
    assert (drawn["chosen"]["value"], drawn["share"]) == (planned["value"], planned["share"])
    values = [point["value"] for point in drawn["points"]]
    assert values == sorted(values)
    assert len({*values}) > 20
    # The next stair is a whole answer, beside the half that there is.
    (upgrade,) = drawn["next"]
    assert " buy a longer answer, +" in drawn["says"][-1]
    assert upgrade["gain"] == pytest.approx(planned["best"] - planned["value"], abs=1e-6)
    shown = invoke("frontier", *given[:-1], env=ONLINE).stdout
    assert "a longer answer" in shown

"""Bad input: one clear line on standard error, exit code 2, nothing spent."""

import pytest

from thrifty.budget import Budget
from thrifty.budget.limits import BUDGET_DEFAULT

CASES = {
    "an empty task": ([""], "TASK", "write some text"),
    "a blank task": (["  "], "TASK", "write some text"),
    "a task too long": (["x" * 100_001], "TASK", "use at most 100,000 characters"),
    "a missing file": (["@/no/such"], "'@/no/such'", "name a file that can be read"),
    "a folder as file": (["@/"], "'@/'", "name a file that can be read"),
    "a path with NUL": (["@a\0b"], "TASK", "name a file that can be read"),
    "negative tokens": (["x", "--max-tokens", "-5"], "--max-tokens: got -5", "whole number from 0"),
    "no number": (["x", "--max-tokens", "abc"], "--max-tokens: got 'abc'", "whole number from 0"),
    "half a token": (["x", "--max-tokens", "1.5"], "--max-tokens: got '1.5'", "whole number"),
    "2^70 tokens": (["x", "--max-tokens", str(2**70)], "--max-tokens", "whole number from 0"),
    "9,999 digits": (["x", "--max-tool-calls", "9" * 9_999], "--max-tool-calls", "whole number"),
    "latency": (["x", "--max-latency-ms", "-1"], "--max-latency-ms: got -1", "whole number"),
    "NaN dollars": (["x", "--max-cost-usd", "nan"], "--max-cost-usd: got nan", "dollars from 0"),
    "infinite dollars": (["x", "--max-cost-usd", "inf"], "--max-cost-usd: got inf", "dollars"),
    "dollar sign": (["x", "--max-cost-usd", "$1"], "--max-cost-usd: got '$1'", "such as 0.05"),
    "too many steps": (["x", "--max-steps", "5000"], "--max-steps: got 5000", "1000"),
    "steps, no number": (["x", "--max-steps", "six"], "--max-steps: got 'six'", "integer"),
    "no concurrency": (["x", "--max-concurrency", "0"], "--max-concurrency: got 0", "1"),
    "unknown engine": (["x", "--engine", "magic"], "'magic'", "beam"),
    "unknown policy": (["x", "--on-drift", "wait"], "'wait'", "'replan', 'halt'"),
    "unknown effort": (["x", "--effort", "huge"], "'huge'", "'low'"),
    "unknown option": (["x", "--max-token", "5"], "--max-token", "--max-tokens"),
    "no task": ([], "TASK", "--help"),
    "two tasks": (["a", "b"], "extra argument (b)", "--help"),
    "another protocol": (["x", "--base-url", "ftp://h"], "--base-url: got 'ftp://h'", "http://"),
    "no such recipe": (["x", "--recipe", "/no/such"], "/no/such", "give a file"),
}


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize(("arguments", "what", "remedy"), CASES.values(), ids=CASES)
def test_one_line_names_what_is_wrong_and_the_remedy(invoke, command, arguments, what, remedy):
    result = invoke(command, *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("thrifty: ")
    assert what in result.stderr
    assert remedy in result.stderr


@pytest.mark.parametrize("command", [["run", "x"], ["plan", "x"], ["options"]])
@pytest.mark.parametrize(
    ("recipe", "what"),
    [
        ("steps: [", "correct the YAML"),
        ("steps: []", "steps"),
        ("steps: [{name: A, options: [{executor: local, description: d, tokens: '5', "
         "latency_ms: 1, tool_calls: 0, value: 1}]}]", "steps[0].options[0].tokens"),
        ("steps: [{name: A, options: [{executor: os.system, description: d, tokens: 5, "
         "latency_ms: 1, tool_calls: 0, value: 1}]}]", "use one of: llm, local"),
        ("steps: [{name: A, requires: [A], options: [{executor: local, description: d, "
         "tokens: 5, latency_ms: 1, tool_calls: 0, value: 1}]}]", "break this circle"),
    ],
)  # fmt: skip
def test_a_broken_recipe(invoke, tmp_path, command, recipe, what):
    file = tmp_path / "my.yaml"
    file.write_text(recipe, encoding="utf-8")
    result = invoke(*command, "--recipe", str(file))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert what in result.stderr


@pytest.mark.parametrize("name", ["", "/", "/no/such/folder/draft.md", "a\0b"])
def test_an_output_that_cannot_be_written_is_refused_before_the_run(invoke, name):
    result = invoke("run", "x", "--output", name)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "--output" in result.stderr


def test_a_task_file_that_is_no_text(invoke, tmp_path):
    file = tmp_path / "task.bin"
    file.write_bytes(b"\xff\xfe\x00")
    result = invoke("plan", f"@{file}")
    assert result.exit_code == 2
    assert "save it as UTF-8" in result.stderr


def test_an_error_shows_no_escape_codes(invoke):
    result = invoke("plan", "x", "--recipe", "/no/\x1b]0;evil\x07\u202e")
    assert result.exit_code == 2
    assert result.stderr.strip().isprintable()


def test_a_wrong_environment_is_told_too(invoke):
    result = invoke("plan", "x", env={"THRIFTY_PRICES": "{"})
    assert result.exit_code == 2
    assert "THRIFTY_PRICES" in result.stderr


def test_a_proxy_that_cannot_be_used_is_told_without_its_password(invoke):
    wrong = {"OPENAI_API_KEY": "sk-test", "HTTPS_PROXY": "foo://me:hush@127.0.0.1:1"}
    result = invoke("run", "x", env=wrong)
    assert result.exit_code == 7
    assert "no client can be made" in result.stderr
    assert "and the proxy variables" in result.stderr
    assert "hush" not in result.stderr
    assert "sk-test" not in result.stderr


def test_the_default_budget_is_the_agents():
    assert Budget(8_000, None, 60_000, 8) == BUDGET_DEFAULT  # as the help text says


PHRASES = {
    "an unknown unit": (["--budget", "5 parsecs"], "--budget: got '5 parsecs'", "a number and a"),
    "a period": (["--budget", "2k tokens a day"], "got '2k tokens a day'", "leave out 'a day'"),
    "a dollar that a shell ate": (["--budget", "bash.02"], "got 'bash.02'", "single quotes"),
    "nothing": (["--budget", " "], "--budget: got ' '", "write some text"),
    "said twice": (
        ["--budget", "2k tokens", "--max-tokens", "9"],
        "--max-tokens: got 9",
        "drop it",
    ),
}


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize(("arguments", "what", "remedy"), PHRASES.values(), ids=PHRASES)
def test_a_budget_that_nobody_understands(invoke, command, arguments, what, remedy):
    result = invoke(command, "x", *arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert what in result.stderr
    assert remedy in result.stderr


def test_a_phrase_and_plain_options_make_one_budget(invoke):
    said = ["--budget", "2.2k tokens, 2 cents", "--max-tool-calls", "2"]
    result = invoke("plan", "x", *said)
    assert result.stdout.startswith("Budget  2,200 tokens, $0.02, 2 calls\n")

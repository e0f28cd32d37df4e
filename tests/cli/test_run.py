"""`thrifty run`, offline: what goes where, and how it ends."""

import json
from typing import Any

import pytest

from tests.cli.samples import HOSTILE, RECEIPT
from tests.harness.llm_server import Answer, ServerError, Unauthorized
from thrifty.budget import PriceUnknown, Spend
from thrifty.cli.run_driver import RunDriver

TUTORIAL = ("--max-tokens", "2200", "--max-latency-ms", "3500", "--max-tool-calls", "2")


def test_a_pipe_gets_draft_and_receipt_and_standard_error_the_rest(invoke):
    result = invoke("run", "Draft a proposal", *TUTORIAL)
    assert result.exit_code == 0
    assert result.stdout.startswith("#")
    assert "Done offline, within budget." in result.stdout
    assert "Planned → used" in result.stdout
    assert "Budget  2,200 tokens, 3,500 ms, 2 calls" in result.stderr
    assert result.stderr.count("Offline") == 1
    assert "Plan  5 steps worth 24.8" in result.stderr
    assert "▸ Outline plan (local)" in result.stderr
    assert "✓ Outline plan (local)" in result.stderr
    assert "\x1b" not in result.output


def test_without_a_limit_the_default_budget_is_named(invoke):
    result = invoke("plan", "x")
    assert "8,000 tokens, 60.0 s, 8 calls (the default, as no limit was given)" in result.stdout


def test_json_is_one_object_and_nothing_else(invoke):
    result = invoke("run", f"Draft {HOSTILE}", *TUTORIAL, "--json")
    given = json.loads(result.stdout)
    assert list(given) == [
        "run", "answer", "draft", "structured", "results",
        "status", "halt_reason", "spend", "plan", "receipt",
    ]  # fmt: skip
    assert given["status"] == "done"
    assert given["receipt"]["within_budget"] is True
    assert result.stdout.isascii()
    assert "✓ Timeline (local)" in result.stderr


def test_quiet_is_the_draft_alone(invoke):
    result = invoke("run", "Draft a proposal", "--quiet")
    assert result.stdout.startswith("#")
    assert "Receipt" not in result.stdout
    assert result.stderr == ""


def test_quiet_says_on_standard_error_what_to_be_warned_of(invoke, server, models):
    server.script(Answer("A text."), ServerError(times=None))
    result = invoke("run", "Draft a proposal", "--max-tokens", "9000", "--quiet", *models)
    assert result.exit_code == 13
    assert result.stdout.startswith("#")
    assert result.stderr.startswith("thrifty: Done with ")
    assert "fell back to the local template: gpt-4.1: the server failed (500)" in result.stderr


def test_a_refused_key_ends_with_7_and_with_what_local_code_wrote(invoke, server, models):
    server.script(Unauthorized(times=None))
    result = invoke("run", "Draft a proposal", "--max-tokens", "9000", *models)
    assert result.exit_code == 7
    assert "## Timeline" in result.stdout
    told = "Halted, within budget: no model answered: gpt-4.1: the server refused the request (401)"
    assert told in " ".join(result.stdout.split())


def test_the_draft_goes_to_a_file(invoke, tmp_path):
    file = tmp_path / "draft.md"
    result = invoke("run", "Draft a proposal", "--output", str(file))
    assert file.read_text("utf-8").startswith("#")
    assert not result.stdout.startswith("#")
    assert f"Answer written to {file}." in result.stderr


def test_a_task_comes_from_standard_input_or_a_file(invoke, tmp_path):
    piped = invoke("run", "-", "--json", "--quiet", input="Plan our move\n")
    assert json.loads(piped.stdout)["receipt"]["task"] == "Plan our move"
    file = tmp_path / "brief.md"
    file.write_text("\ufeffPlan our möve", encoding="utf-8")
    read = invoke("run", f"@{file}", "--json", "--quiet")
    assert json.loads(read.stdout)["receipt"]["task"] == "Plan our möve"


@pytest.mark.parametrize(
    "limits",
    [
        ["--max-tokens", "5"],
        ["--max-tokens", "0"],
        ["--max-latency-ms", "0"],
        ["--max-tokens", "0", "--max-cost-usd", "0", "--max-latency-ms", "0"],
    ],
)
def test_a_budget_too_small_for_anything_ends_with_4(invoke, limits):
    result = invoke("run", "x", *limits)
    assert result.exit_code == 4
    assert "Plan  nothing fits in what is left: '" in result.stderr
    assert "Halted" in result.stdout
    assert invoke("plan", "x", *limits).exit_code == 4


def test_hostile_text_is_harmless_in_a_pipe(invoke, tmp_path):
    recipe = tmp_path / "my.yaml"
    recipe.write_text(
        "steps: [{name: '[/] [link=http://evil]x', options: [{executor: local, description: d, "
        "tokens: 5, latency_ms: 9, tool_calls: 0, value: 1}]}]",
        encoding="utf-8",
    )
    result = invoke("run", HOSTILE, "--recipe", str(recipe))
    assert result.exit_code == 0
    assert "[/] [link=http://evil]x (local)" in result.stderr
    assert not set("\x1b\x00\x07\x9b\u202e") & set(result.output)


def _ends_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def start(self: Any) -> int:
        raise error

    monkeypatch.setattr(RunDriver, "start", start)


def test_an_error_of_ours_ends_with_its_own_code(invoke, monkeypatch):
    _ends_with(monkeypatch, PriceUnknown("gpt-99"))
    result = invoke("run", "x", "--quiet")
    assert result.exit_code == 6
    assert result.stderr.startswith("thrifty: no price is known for model 'gpt-99'")


def test_an_unexpected_error_ends_in_one_line_that_keeps_its_secrets(invoke, monkeypatch):
    _ends_with(monkeypatch, KeyError("sk-secret"))
    result = invoke("run", "x", "--quiet")
    assert result.exit_code == 1
    assert result.stderr == (
        "thrifty: unexpected KeyError; --debug or THRIFTY_DEBUG=1 shows its traceback\n"
    )


@pytest.mark.parametrize("wish", [{"args": ["--debug"]}, {"env": {"THRIFTY_DEBUG": "1"}}])
def test_debug_shows_the_traceback(invoke, monkeypatch, wish):
    _ends_with(monkeypatch, KeyError("x"))
    result = invoke("run", "x", "--quiet", *wish.get("args", []), env=wish.get("env"))
    assert isinstance(result.exception, KeyError)


def test_an_interrupt_before_anything_is_done_is_one_line(invoke, monkeypatch):
    _ends_with(monkeypatch, KeyboardInterrupt("nothing was finished"))
    monkeypatch.setattr("thrifty.cli.error_reporting.exit_now", lambda code: None)
    result = invoke("run", "x", "--quiet")
    assert result.exit_code == 130
    assert result.stderr == "thrifty: interrupted: nothing was finished\n"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 0),
        ({"warnings": ("Timeline was cut short",)}, 13),
        ({"status": "halted"}, 3),
        ({"status": "halted", "cause": "model"}, 7),
        ({"status": "halted", "cause": "price"}, 6),
        ({"status": "halted", "cause": "model", "spent": Spend(), "lines": ()}, 7),
        ({"status": "halted", "spent": Spend(), "lines": ()}, 4),
        ({"status": "halted", "lines": RECEIPT.lines[:1]}, 4),
        ({"status": "halted", "budget": RECEIPT.budget.with_limits({"max_tokens": 1})}, 5),
    ],
)
def test_the_exit_code_of_a_receipt(changes, code):
    from dataclasses import replace

    from thrifty.cli.exit_codes import exit_code

    assert exit_code(replace(RECEIPT, **changes)) == code

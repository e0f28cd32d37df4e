"""Recipes and direct answers from the command line."""

import io
import json
import os
import pty
import re
from contextlib import suppress

import pytest
from click.testing import CliRunner
from rich.console import Console

from tests.cli.conftest import KEY
from tests.harness.llm_server import Answer
from thrifty.cli.main import thrifty
from thrifty.cli.view.live_text import LINES_MAX, LiveText

POEM = "The sea is blue,\nand deep, too."
TASK = "Write a short poem about the sea"
ANSWERED = ("--recipe", "answer", "--budget", "2k tokens, 1 call")


def test_without_a_model_a_task_is_told_what_is_missing(invoke):
    result = invoke("run", TASK, "--recipe", "answer")
    assert result.exit_code == 7
    assert "Halted, within budget: nothing here can answer this without a model" in result.stdout
    assert "No key and no server: models are out of reach." in result.stderr
    asked = invoke("run", TASK, "--recipe", "answer", "--offline", env={"OPENAI_API_KEY": KEY})
    assert "As asked: models are out of reach." in asked.stderr
    assert "No key" not in asked.output


def test_what_the_task_asks_for_decides_where_nothing_is_named():
    run = CliRunner().invoke
    answered = run(thrifty, ["run", TASK])
    assert answered.exit_code == 7
    followed = run(thrifty, ["run", "Draft a project plan for the move"])
    assert followed.exit_code == 0
    assert "'proposal', as the task says 'draft a project plan'; for a" in followed.stdout


def test_a_file_that_is_named_is_followed_whatever_the_task_says(invoke, tmp_path):
    file = tmp_path / "own.yaml"
    step = "{name: Boxes, options: [{executor: local, description: Pack., tokens: 0, "
    step += "latency_ms: 1, tool_calls: 0, value: 1}]}"
    file.write_text(f"name: move\nphrases: [draft a]\nsteps:\n  - {step}\n")
    result = invoke("run", TASK, "--recipe", str(file))
    assert result.exit_code == 0
    assert "'move', as it was named" in result.stdout


def test_a_recipe_that_is_not_there_is_refused(invoke):
    result = invoke("run", TASK, "--recipe", "poem")
    assert result.exit_code == 2
    assert "--recipe: got 'poem'; use proposal, answer, or a recipe's file" in result.stderr


def test_a_pipe_gets_the_plain_answer(invoke, server, models):
    server.script(Answer(POEM, times=None))
    result = invoke("run", TASK, *ANSWERED, *models, "--quiet", env={"OPENAI_API_KEY": "sk-x"})
    assert (result.exit_code, result.stdout) == (0, f"{POEM}\n")
    assert len(server.requests) == 1


def test_json_has_the_answer(invoke, server, models):
    server.script(Answer(POEM, times=None))
    result = invoke("run", TASK, *ANSWERED, *models, "--json", env={"OPENAI_API_KEY": "sk-x"})
    given = json.loads(result.stdout)
    assert (given["answer"], given["draft"]) == (POEM, POEM)


def test_a_plan_shows_who_can_answer(invoke, models):
    result = invoke("plan", TASK, *ANSWERED, *models, env={"OPENAI_API_KEY": "sk-x"})
    assert result.exit_code == 0
    assert "Answer (strong)" in result.stdout
    assert "1 step worth 80.0, the most that fits, and as much as" in result.stdout
    assert "extra steps" not in result.stdout


def shown(text):
    console = Console(file=io.StringIO(), width=60)
    console.print(text.render() or "")
    return console.file.getvalue()


def test_the_last_lines_of_an_answer_grow_on_the_screen():
    text = LiveText()
    assert text.render() is None
    for number in range(LINES_MAX + 5):
        text.add("one", f"line {number}\n")
    lines = shown(text).split("\n")
    assert lines[0] == "line 5"
    assert lines[LINES_MAX - 1] == f"line {LINES_MAX + 4}"


def test_another_attempt_begins_anew_and_nothing_of_it_can_harm_a_terminal():
    text = LiveText()
    text.add("one", "half an ans")
    text.add("two", "\x1b[2J[bold]whole")
    assert shown(text) == "[2J[bold]whole\n"
    text.clear()
    assert text.render() is None


@pytest.mark.skipif(os.name == "nt", reason="needs a terminal")
def test_an_answer_is_read_on_a_screen_while_it_is_written(start, server, models):
    server.script(Answer(POEM, chunk_tokens=1, chunk_delay_ms=500, times=None))
    ours, theirs = pty.openpty()
    process = start(
        "run", TASK, *ANSWERED, *models, environ={"OPENAI_API_KEY": KEY}, terminal=theirs
    )
    os.close(theirs)
    shown = ""
    with suppress(OSError):  # how a terminal tells that the other side has gone
        while part := os.read(ours, 65536):
            shown += part.decode("utf-8", "replace")
    os.close(ours)
    assert process.wait(timeout=240) == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    before, _, after = plain.partition("✓ Answer (strong)")
    assert "The sea" in before
    assert "and deep, too." in after

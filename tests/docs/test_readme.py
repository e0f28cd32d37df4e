"""What the README says is so: its code runs, its links lead somewhere, its diagram is the graph."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.harness.llm_server import Answer, LLMServer
from thrifty import Settings, create_budget_agent
from thrifty.cli.main import thrifty

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [
    page.relative_to(ROOT).as_posix()
    for folder in (".", "docs", "benchmarks", "examples")
    for page in sorted((ROOT / folder).glob("*.md"))
]


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_its_code_runs(block, capsys):
    exec(compile(block, "README.md", "exec"), {})
    if "print(" in block:
        assert capsys.readouterr().out.startswith("done ")


def test_its_answer_is_what_a_person_sees(tmp_path):
    """Its poem and its figures; how long a call takes differs from run to run."""
    command, seen = re.findall(r"`thrifty (run [^`]+)`:\n\n```text\n(.*?)```", README, re.DOTALL)[0]
    poem, _, _ = seen.partition("\n\n")
    with LLMServer() as server:
        server.script(Answer(poem, times=None))
        env = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "sk-x"}
        env |= {"THRIFTY_HOME": str(tmp_path), "COLUMNS": "80"}
        result = CliRunner().invoke(thrifty, shlex.split(command), env=env)
    assert result.exit_code == 0
    for line in seen.splitlines():
        figures = re.sub(r"2,100 → \d+", "2,100 → …", " ".join(line.strip("─").split()))
        shown = re.sub(r"2,100 → +\d+", "2,100 → …", " ".join(result.stdout.split()))
        assert figures in shown, shown


@pytest.mark.parametrize("page", PAGES)
def test_its_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text("utf-8")):
        if "://" not in target:
            assert (ROOT / page).parent.joinpath(target).exists(), target


def test_the_commands_it_names_are_there():
    named = set(re.findall(r"`thrifty (\w+)", README))
    assert {"run", "plan", "frontier", "receipt", "doctor"} <= named <= set(thrifty.commands)


def test_its_diagram_shows_the_nodes_of_the_graph():
    drawn = re.findall(r"```text\nSTART(.*?)```", README, re.DOTALL)[0]
    nodes = set(create_budget_agent(settings=Settings()).get_graph().nodes)
    named = set(re.findall(r"[→] (\w+)", drawn)) - {"END"}
    assert named == nodes - {"__start__", "__end__"}


def test_its_test_command_is_what_ci_runs():
    command = re.findall(r"## Tests\n\n```sh\n(.*?)```", README, re.DOTALL)[0]
    ci = (ROOT / ".ci/run").read_text("utf-8")
    assert "-c constraints.txt -e '.[test]'" in command
    assert "--constraint constraints.txt --editable '.[test]'" in ci
    assert "bin/python -m tests" in command
    assert 'bin/python" -m tests' in ci


def test_it_can_be_read_in_five_minutes():
    assert len(README.splitlines()) <= 150

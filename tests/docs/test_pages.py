"""What the documentation says is so.

Its Python runs, each block by itself in an empty folder; its transcripts are what the commands
print; other commands it names exist, with their options; the reference is what docstrings say.
"""

import re
import runpy
import shlex
from collections.abc import Iterator
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from tests.conftest import REAL_HOSTS
from thrifty.cli.main import thrifty
from thrifty.models.costs import input_bound

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TREE = ("graph", "nodes", "prompts", "thrifty", "cli", "tests", "benchmarks", "examples", "docs")
PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "README.md"]


def blocks(language: str) -> Iterator[Any]:
    """Each block of a language, named by its page and its number there."""
    for page in sorted(DOCS.glob("*.md")):
        found = re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.S)
        for number, block in enumerate(found):
            yield pytest.param(block, id=f"{page.name}-{number}")


def test_the_files_that_it_names_are_there():
    files = [f"/{path.relative_to(ROOT)}" for top in TREE for path in (ROOT / top).rglob("*.*")]
    named = {
        (page.name, name)
        for page in [*PAGES, ROOT / "CONTRIBUTING.md"]
        for name in re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|md))`", page.read_text("utf-8"))
    }
    assert len(named) > 50
    assert [each for each in named if not any(f.endswith(f"/{each[1]}") for f in files)] == []


@pytest.mark.parametrize("block", list(blocks("python")))
def test_its_python_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "docs", "exec"), {})


@pytest.mark.parametrize("page", [page for page in PAGES if "```console" in page.read_text()])
def test_its_transcripts_are_what_the_commands_print(page, tmp_path, monkeypatch):
    """The commands of a page follow each other, in one folder; `…` stands for any text."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THRIFTY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(input_bound, "OPENAI_HOSTS", REAL_HOSTS)  # as it is for you
    fences = r"```(?:console|yaml|python)\n(.*?)```"
    for block in re.findall(fences, page.read_text("utf-8"), re.S):
        if name := re.match(r"# (\S+\.(?:yaml|py))\n", block):
            Path(name[1]).write_text(block, "utf-8")
            continue
        for command, said in re.findall(r"(?m)^\$ (.+)\n((?:(?!\$ ).*\n)*)", block):
            assert_says(command, said)


def assert_says(command: str, said: str) -> None:
    name, *arguments = shlex.split(command)
    assert name == "thrifty", command
    done = CliRunner().invoke(thrifty, arguments, prog_name="thrifty")
    wanted = "\n".join(line.rstrip() for line in said.replace("…", "...").splitlines())
    shown = done.stdout.replace("…", "...")
    matches = OutputChecker().check_output(wanted, shown, ELLIPSIS | NORMALIZE_WHITESPACE)
    assert matches, f"{command}\n{done.output}"


def commands() -> Iterator[Any]:
    """Every call of `thrifty` that is shown without what it prints."""
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.S):
            for line in block.replace("\\\n", " ").splitlines():
                if found := re.search(r"(?:^|[ /|])thrifty (.+)", line):
                    yield pytest.param(found[1], id=f"{page.name}: {found[1][:40]}")


@pytest.mark.parametrize("line", list(commands()))
def test_the_commands_it_names_exist_with_their_options(line):
    command, arguments = thrifty, shlex.split(line, comments=True)
    while isinstance(command, click.Group):
        assert arguments[0] in command.commands
        command = command.commands[arguments.pop(0)]
    known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
    assert {word for word in arguments if word.startswith("-") and word != "-"} <= known


def test_the_reference_is_what_the_docstrings_say():
    made = runpy.run_path(str(DOCS / "reference.py"))["page"]()
    remedy = "write it anew: python docs/reference.py"
    assert (DOCS / "reference.md").read_text("utf-8") == made, remedy


def test_the_index_lists_every_page():
    index = (DOCS / "README.md").read_text("utf-8")
    for page in DOCS.glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index, page.name

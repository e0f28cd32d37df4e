"""The command line, called in this process and as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.graph.conftest import EDITOR, REVISED
from tests.harness.llm_server import Answer, LLMServer
from thrifty.cli.main import thrifty

Invoke = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]
KEY = "sk-canary-4711"
UNKNOWN = ("OPENAI_", "THRIFTY_", "COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_")


def with_recipe(arguments: Sequence[str]) -> list[str]:
    """A command line that follows `proposal` where it names nothing else, whatever the task."""
    is_named = {"--recipe", "--help"}.intersection(arguments)
    follows = len(arguments) > 1 and arguments[0] in ("run", "plan", "frontier") and not is_named
    return [*arguments, *(["--recipe", "proposal"] if follows else [])]


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the runs of a test are kept."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("THRIFTY_HOME", str(folder))
    return folder


@pytest.fixture
def invoke() -> Invoke:
    def run(*arguments: str, **extra: Any) -> Result:
        asked = with_recipe(arguments)
        return CliRunner().invoke(thrifty, asked, prog_name="thrifty", **extra)

    return run


@pytest.fixture
def start(home: Path) -> Start:
    def run(
        *arguments: str,
        code: str = "from thrifty.cli.main import main; main()",
        environ: Mapping[str, str] | None = None,
        terminal: int | None = None,
    ) -> Any:
        known = {k: v for k, v in os.environ.items() if not k.startswith(UNKNOWN)}
        known |= {"THRIFTY_HOME": str(home), **(environ or {})}
        return subprocess.Popen(
            [sys.executable, "-c", code, *with_recipe(arguments)],
            stdin=terminal or subprocess.DEVNULL,
            stdout=terminal or subprocess.PIPE,
            stderr=terminal or subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=known,
        )

    return run


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


@pytest.fixture
def models(server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Options of a run whose models are the loopback server's."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.script(Answer(REVISED, when=EDITOR, times=None))
    return ("--base-url", server.base_url, "--models", "gpt-4.1", "--no-proposals")

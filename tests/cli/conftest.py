"""The command line, called in this process and as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from thrifty.cli.main import thrifty

Invoke = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]
UNKNOWN = ("OPENAI_", "THRIFTY_", "COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_")


@pytest.fixture
def invoke() -> Invoke:
    def run(*arguments: str, **extra: Any) -> Result:
        return CliRunner().invoke(thrifty, list(arguments), prog_name="thrifty", **extra)

    return run


@pytest.fixture
def start() -> Start:
    def run(*arguments: str, code: str = "from thrifty.cli.main import main; main()") -> Any:
        environ = {k: v for k, v in os.environ.items() if not k.startswith(UNKNOWN)}
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environ,
        )

    return run

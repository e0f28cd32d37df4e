"""Runs an example as a user runs it: a process of its own, with what it prints."""

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
TIMEOUT_S = 240


def run(
    name: str, folder: Path, given: str = "", **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Runs an example from some other folder, with warnings as errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")],
        cwd=folder,
        input=given,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )

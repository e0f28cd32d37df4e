"""Runs the parts of the benchmark in processes of their own, so that none warms up another."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

TIMEOUT_S = 1_800


def ask(module: str, *arguments: object) -> Any:
    """What one process prints, as JSON."""
    return ask_all(module, [arguments])[0]


def ask_all(module: str, each: Sequence[Sequence[object]]) -> list[Any]:
    """What several print that run side by side.

    Raises:
        RuntimeError: one failed; its last words are in the message.
    """
    children = [
        subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.graph.{module}", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for arguments in each
    ]
    return [_read(child) for child in children]


def _read(child: "subprocess.Popen[str]") -> Any:
    out, err = child.communicate(timeout=TIMEOUT_S)
    if child.returncode:
        raise RuntimeError(f"a part of the benchmark failed:\n{err[-2000:]}")
    return json.loads(out.splitlines()[-1])

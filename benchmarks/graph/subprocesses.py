"""Runs the parts of the benchmark in processes of their own, so that none warms up another."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

TIMEOUT_S = 1_800


def run_module(module: str, *arguments: object) -> Any:
    """What one process prints, as JSON."""
    return run_modules(module, [arguments])[0]


def run_modules(module: str, arguments_of_each: Sequence[Sequence[object]]) -> list[Any]:
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
        for arguments in arguments_of_each
    ]
    return [_read_result(child) for child in children]


def _read_result(child: "subprocess.Popen[str]") -> Any:
    out, err = child.communicate(timeout=TIMEOUT_S)
    if child.returncode:
        raise RuntimeError(f"a part of the benchmark failed:\n{err[-2000:]}")
    return json.loads(out.splitlines()[-1])

"""Runs Python that a model wrote, in a process of its own, with limits and without a network.

It holds against mistakes, not against attacks: `guarded_main.py` says what it refuses.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

GUARDED_MAIN = Path(__file__).with_name("guarded_main.py")
WALL_S_MAX = 60
"""Against code that waits. What computes is ended by its processor time, which is a lot less."""
OUTPUT_MAX = 3_000
_FENCED = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)```", re.DOTALL)
_ADDRESS = re.compile(r"0x[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class PythonRun:
    """How code has ended."""

    passed: bool
    output: str
    """What it wrote, the last of it where that is much. The same for the same code."""


def run_python(files: Mapping[str, str], main: str) -> PythonRun:
    """Runs a file in a new folder.

    Args:
        files: the texts of all files in the folder, by name.
        main: the name of the one that is run.
    """
    with TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text, "utf-8")
        command = [sys.executable, "-s", "-P", "-B", str(GUARDED_MAIN), main]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env={"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=WALL_S_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return PythonRun(False, f"It was still waiting after {WALL_S_MAX} seconds.")
        output = done.stdout.decode("utf-8", "replace").replace(f"{Path(folder).resolve()}/", "")
    if done.returncode < 0:
        output += f"It was ended: {signal.strsignal(-done.returncode)}.\n"
    return PythonRun(done.returncode == 0, _ADDRESS.sub("0x…", output)[-OUTPUT_MAX:])


def code_of(answer: str) -> str:
    """The code in an answer: the longest of its fenced blocks, or all of it where it has none."""
    return max(_FENCED.findall(answer), key=len, default=answer)

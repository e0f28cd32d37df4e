"""The runs of one system in one cell: a fresh budget each, and the meter's bill at the end."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.overshoot.meter import Charge, Meter, prompt
from benchmarks.overshoot.workload import NANO_PER_USD, Cell

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run ended."""

    cell: Cell
    charges: Sequence[Charge]
    """What the provider bills."""
    finishes: Sequence[str]
    """The finish reasons of the answers that reached a caller."""
    believed_nano_usd: int
    """What the system itself says was spent."""

    @property
    def billed_nano_usd(self) -> int:
        return sum(charge.nano_usd for charge in self.charges)


class Driver:
    """A system in a process of its own, before a meter of its own."""

    def __init__(self, meter: Meter, process: subprocess.Popen[str], said: IO[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._meter, self._said = meter, said
        self._orders, self._reports = process.stdin, process.stdout
        self._prompt = prompt()

    def run(self, cell: Cell, name: str) -> Outcome:
        """One run; the same name gets answers of the same lengths.

        Raises:
            RuntimeError: the system broke down, in its own words.
        """
        self._meter.begin(name, cell.callers)
        order = {"cell": cell.to_json(), "prompt": self._prompt}
        print(json.dumps(order), file=self._orders, flush=True)
        line = self._reports.readline()
        if not line:
            self._said.seek(0)
            raise RuntimeError(self._said.read())
        told = json.loads(line)
        believed = round(told["spent_usd"] * NANO_PER_USD)
        return Outcome(cell, self._meter.bill(), told["finishes"], believed)


@contextmanager
def driver(python: Path, system: str) -> Iterator[Driver]:
    """Starts a system.

    Args:
        python: the interpreter of the environment that the system is installed in.
        system: the name of a module of `systems`.
    """
    with Meter() as meter, tempfile.TemporaryFile("w+") as said:
        command = [str(python), "-m", "benchmarks.overshoot.driver", system, meter.base_url]
        # Nothing of the caller's environment: no key, no proxy, no telemetry switched on.
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        ) as process:
            yield Driver(meter, process, said)


def runs(system: Driver, cell: Cell, count: int) -> list[Outcome]:
    """So many runs, told from each other by their seed."""
    outcomes = [system.run(cell, f"run {number}") for number in range(count)]
    print(".", end="", file=sys.stderr, flush=True)
    return outcomes

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

from benchmarks.overshoot.billing_provider import BillingProvider, Charge, long_prompt
from benchmarks.overshoot.workload import NANO_PER_USD, Cell

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How one run ended."""

    cell: Cell
    charges: Sequence[Charge]
    """What the provider bills."""
    finishes: Sequence[str]
    """The finish reasons of the answers that reached a caller."""
    reported_nano_usd: int
    """What the system itself says was spent."""

    @property
    def billed_nano_usd(self) -> int:
        return sum(charge.nano_usd for charge in self.charges)


class SystemDriver:
    """A system in a process of its own, before a meter of its own."""

    def __init__(
        self, meter: BillingProvider, process: subprocess.Popen[str], said: IO[str]
    ) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._meter, self._said = meter, said
        self._orders, self._reports = process.stdin, process.stdout
        self._prompt = long_prompt()

    def run(self, cell: Cell, name: str) -> RunOutcome:
        """One run; the same name gets answers of the same lengths.

        Raises:
            RuntimeError: the system broke down, in its own words.
        """
        self._meter.start_run(name, cell.callers, cell.vendor)
        order = {"cell": cell.to_json(), "prompt": self._prompt}
        print(json.dumps(order), file=self._orders, flush=True)
        line = self._reports.readline()
        if not line:
            self._said.seek(0)
            raise RuntimeError(self._said.read())
        told = json.loads(line)
        believed = round(told["spent_usd"] * NANO_PER_USD)
        return RunOutcome(cell, self._meter.bill(), told["finishes"], believed)


@contextmanager
def start_system(python: Path, system: str) -> Iterator[SystemDriver]:
    """Starts a system.

    Args:
        python: the interpreter of the environment that the system is installed in.
        system: the name of a module of `systems`.
    """
    with BillingProvider() as meter, tempfile.TemporaryFile("w+") as said:
        command = [str(python), "-m", "benchmarks.overshoot.system_process", system, meter.base_url]
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
            yield SystemDriver(meter, process, said)


def run_many(system: SystemDriver, cell: Cell, count: int) -> list[RunOutcome]:
    """So many runs, told from each other by their seed."""
    outcomes = [system.run(cell, f"run {number}") for number in range(count)]
    print(".", end="", file=sys.stderr, flush=True)
    return outcomes

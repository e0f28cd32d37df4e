"""How long commands take to start, against Python that does nothing.

    python -m benchmarks.startup                 the table of benchmarks/README.md
    python -m benchmarks.startup --repeat 51

Each round starts every program once, in turn, so that a busy machine is busy for all of them;
medians over the rounds. `thrifty` is the script that is installed beside this Python.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BASELINE = "python -c pass"
IMPORTS = (
    "import thrifty",
    "import dataclasses, decimal, typing",  # what the planner has of others
    "from thrifty import Budget, Problem, Step, StepOption, make_plan",
    "import numpy",
    "import highspy",
    "import langgraph.graph",
)
THRIFTY = str(Path(sys.executable).with_name("thrifty"))
PROGRAMS = {
    BASELINE: [sys.executable, "-c", "pass"],
    "thrifty --help": [THRIFTY, "--help"],
    "thrifty plan": [
        THRIFTY,
        "plan",
        "Draft a project plan for a tea party",
        "--max-tokens",
        "2200",
    ],
    "thrifty frontier": [
        THRIFTY,
        "frontier",
        "Draft a project plan for a tea party",
        "--max-tokens",
        "2200",
    ],
    **{f"python -c '{line}'": [sys.executable, "-c", line] for line in IMPORTS},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=21, help="rounds")
    rounds = parser.parse_args().repeat
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "THRIFTY_HOME": home}
        for command in PROGRAMS.values():  # once for what has to be compiled or read from disk
            measure_command(command, environment)
        found = [
            [measure_command(command, environment) for command in PROGRAMS.values()]
            for _ in range(rounds)
        ]
    medians = [
        [statistics.median(kind) for kind in zip(*times, strict=True)]
        for times in zip(*found, strict=True)
    ]
    print(f"{rounds} rounds, Python {sys.version.split()[0]}\n")
    print("| | processor ms | against Python alone | wall-clock ms | against Python alone |")
    print("|---|---:|---:|---:|---:|")
    for name, row in zip(PROGRAMS, medians, strict=True):
        cells = [f"{ms:,.0f} | {ms / base:.1f}×" for ms, base in zip(row, medians[0], strict=True)]  # noqa: RUF001
        print(f"| `{name}` | {' | '.join(cells)} |")


def measure_command(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """How long a program took, of the processor and by the clock, in milliseconds."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return (used.ru_utime + used.ru_stime) * 1000, wall * 1000


if __name__ == "__main__":
    main()

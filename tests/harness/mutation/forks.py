"""A plugin for pytest that runs every mutant in a fork of one session, which has collected its
tests and run none of them: nothing is imported or collected twice, and no thread or cache of an
earlier run is in the next.

mutmut makes the mutants and measures which tests reach which function; `MUTANT_UNDER_TEST` is how
its code is told which mutant to be.
"""

import hashlib
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SECONDS_PER_TEST_SECOND = 10.0
SECONDS_MIN = 30.0
"""How long a mutant may take, on a machine that may be busy, before it counts as one that never
ends: so much, and so many times what its tests take otherwise."""

SURVIVED, KILLED, TIMEOUT, NO_TESTS = "survived", "killed", "timeout", "no tests"


@dataclass(frozen=True)
class Mutant:
    """A mutant, and what it is to be run with."""

    name: str
    function: str
    """The digest of the function that it is a mutant of."""
    items: tuple[pytest.Item, ...]
    """The tests that reach it, the quickest first."""
    seconds: float


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mutants-at-once", type=int, default=2)
    parser.addoption("--mutants-sampled", type=int, default=None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Runs the tests once for each mutant that is not known to be killed, instead of once.

    What became of those that were run is in `results.json`, by name, beside the function's digest.
    """
    known: dict[str, list[str]] = read(Path("../results.json"))
    made = list(mutants(session))
    results = {m.name: known[m.name] for m in made if known.get(m.name, [""])[0] == m.function}
    running: dict[int, tuple[Mutant, float]] = {}
    asked = sampled(made, session.config.getoption("--mutants-sampled"))
    waiting = [m for m in asked if results.get(m.name) != [m.function, KILLED]]
    done, total = 0, len(waiting)
    while waiting or running:
        while waiting and len(running) < session.config.getoption("--mutants-at-once"):
            mutant = waiting.pop(0)
            running[forked(session, mutant)] = mutant, time.monotonic() + mutant.seconds
        for pid, (mutant, status) in ended(running):
            del running[pid]
            shutil.rmtree(folder_of(pid))
            results[mutant.name] = [mutant.function, status]
            done += 1
            if done % 20 == 0 or not (waiting or running):
                Path("../results.json").write_text(json.dumps(results, indent=1))
                print(f"{done} of {total}", flush=True)
        time.sleep(0.005)
    return True


def sampled(mutants: list[Mutant], count: int | None) -> list[Mutant]:
    """So many of them by chance, the same ones each time; all where nobody says how many."""
    drawn = sorted(mutants, key=lambda mutant: hashlib.sha256(mutant.name.encode()).digest())
    return drawn[:count]


def mutants(session: pytest.Session) -> Iterator[Mutant]:
    """All mutants of the part."""
    stats = read(Path("mutmut-stats.json"))
    tests, seconds = stats["tests_by_mangled_function_name"], stats["duration_by_test"]
    items = {item.nodeid: item for item in session.items}
    for path in sorted(Path().glob("**/*.meta")):
        digests = read(path)["hash_by_function_name"]
        for name in read(path)["exit_code_by_key"]:
            function = name.partition("__mutmut_")[0]
            reaching = [test for test in tests.get(function, ()) if test in items]
            reaching.sort(key=lambda test: (seconds[test], test))
            yield Mutant(
                name,
                digests.get(function.rpartition(".")[2], ""),
                tuple(items[test] for test in reaching),
                SECONDS_MIN + SECONDS_PER_TEST_SECOND * sum(seconds[test] for test in reaching),
            )


def forked(session: pytest.Session, mutant: Mutant) -> int:
    """Runs a mutant's tests in a process of its own, up to the first that fails."""
    pid = os.fork()
    if pid:
        return pid
    code = 3
    try:
        os.setsid()  # so that what it leaves running can be ended with it
        tempfile.tempdir = os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder_of(os.getpid()))
        os.environ["MUTANT_UNDER_TEST"] = mutant.name
        for item, after in zip(mutant.items, (*mutant.items[1:], None), strict=True):
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if session.testsfailed:
                break
        code = 1 if session.testsfailed else 0 if mutant.items else 2
    finally:
        os._exit(code)


def folder_of(pid: int) -> Path:
    """Where the tests of a fork leave their files, out of the way of all others."""
    folder = Path("../left") / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def ended(running: dict[int, tuple[Mutant, float]]) -> list[tuple[int, tuple[Mutant, str]]]:
    """Which have ended, and how; those whose time is up are ended."""
    found = []
    for pid, (mutant, until) in running.items():
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            words = {0: SURVIVED, 1: KILLED, 2: NO_TESTS}
            # What ends pytest itself, such as a mutant that is out of memory, is noticed as well.
            found.append((pid, (mutant, words.get(os.waitstatus_to_exitcode(status), KILLED))))
        elif time.monotonic() > until:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            found.append((pid, (mutant, TIMEOUT)))
    return found


def read(path: Path) -> dict[str, object]:
    return json.loads(path.read_text()) if path.exists() else {}

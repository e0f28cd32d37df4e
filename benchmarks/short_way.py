"""How many hands a model call passes: from `run_llm` to the wire, and back with the answer.

    python -m benchmarks.short_way               the table of benchmarks/README.md
    python -m benchmarks.short_way --list        every function, in the order in which it is entered

A run of two model steps asks the loopback server. A profiler counts the second one, when all that
is loaded once is there. It counts Python functions of this project, in every thread, with their
comprehensions; whatever belongs to somebody else's library is left out. No clock is read.

Another version is counted by the same script:

    cd ../other && PYTHONPATH=$PWD python path/to/benchmarks/short_way.py
"""

import argparse
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import thrifty
from thrifty import Budget, Spend, Step, StepOption, create_budget_agent
from thrifty.settings import Settings

ROOT = Path(thrifty.__file__).resolve().parents[1]
NOT_COUNTED = ("tests", "benchmarks")
"""Folders that only drive the run."""
BUDGET = Budget(max_tokens=8_000, max_latency_ms=60_000, max_tool_calls=8)
STEPS = ("First", "Second")
SERVERS = ("tests.harness.llm_server", "tests.llm_server")
"""Where versions have the loopback server, the newest first."""
NODE = "run_llm"


class Entered(NamedTuple):
    """A function that was entered."""

    file: str
    function: str


class Recorder:
    """Notes each function of this project that is entered while the node `run_llm` works."""

    def __init__(self) -> None:
        self.ways: list[tuple[list[Entered], list[Entered]]] = []
        """Of each model step: the way to the wire, and the way back."""
        self._way: list[Entered] | None = None

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Takes what the interpreter tells a profiler."""
        code = frame.f_code
        if event == "return" and self._way is not None and _is_node(code):
            self._way = None
        if event != "call":
            return
        if _is_node(code):
            self.ways.append(([], []))
            self._way = self.ways[-1][0]
        if self._way is None:
            return
        if _is_send(code):
            self._way = self.ways[-1][1]
        elif file := project_file(code.co_filename):
            self._way.append(Entered(file, code.co_qualname))


@cache
def project_file(name: str) -> str:
    """A file of this project, seen from its root; empty for any other, or for none at all."""
    if name.startswith("<"):
        return ""
    path = Path(name).resolve()
    if not path.is_relative_to(ROOT) or "site-packages" in path.parts:
        return ""
    inside = path.relative_to(ROOT)
    return "" if inside.parts[0] in NOT_COUNTED else str(inside)


def _is_node(code: CodeType) -> bool:
    return code.co_name == NODE and project_file(code.co_filename).endswith(f"{NODE}.py")


def _is_send(code: CodeType) -> bool:
    """Whether the request leaves here: the HTTP client of OpenAI's library is handed it."""
    return code.co_qualname == "AsyncClient.send" and "/httpx" in code.co_filename


@contextmanager
def profiled(recorder: Recorder) -> Iterator[None]:
    """Profiles this thread and those that are started meanwhile."""
    threading.setprofile(recorder)
    sys.setprofile(recorder)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]


def loopback_server() -> Any:
    """A server of the version that is counted."""
    for name in SERVERS:
        with suppress(ModuleNotFoundError):
            return import_module(name).LLMServer()
    raise SystemExit(f"none of these is there: {', '.join(SERVERS)}")


def model_step() -> tuple[list[Entered], list[Entered]]:
    """The way of one model call to the wire, and its way back."""
    options = (StepOption(f"{n} (LLM)", n, "llm", "Write it.", Spend(400), 10.0) for n in STEPS)
    catalog = tuple(Step(option.step, (option,)) for option in options)
    recorder = Recorder()
    with loopback_server() as server, profiled(recorder):
        settings = Settings(api_key="none", base_url=server.base_url)
        agent = create_budget_agent(catalog=catalog, budget=BUDGET, settings=settings)
        agent.invoke({"task": "Write a thing."}, context={"propose_options": False})
    return recorder.ways[-1]


def row(name: str, way: Sequence[Entered]) -> str:
    """Files entered, different functions entered, and changes of file on the way."""
    files = {entered.file for entered in way}
    switches = sum(a.file != b.file for a, b in pairwise(way))
    return f"| {name} | {len(files)} | {len(set(way))} | {switches} | {len(way)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--list", action="store_true", help="every function, as it is entered")
    is_listed = parser.parse_args().list
    to_the_wire, back = model_step()
    print("| | files | functions | switches | calls |")
    print("|---|---:|---:|---:|---:|")
    print(row("`run_llm` to the wire", to_the_wire))
    print(row("the answer back", back))
    print(row("both", [*to_the_wire, *back]))
    if is_listed:
        for entered in (*to_the_wire, Entered("-", "the wire"), *back):
            print(f"{entered.file:40} {entered.function}")


if __name__ == "__main__":
    main()

"""Counts how often one run turns an object into plain data, and plain data into an object.

Two of the five steps are done by a model at a loopback server, as in the tutorial. Every call of
a `to_state` or a `from_state` counts, the ones for the parts of a larger object too.

    python -m benchmarks.conversions
"""

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from tests.graph.conftest import EDITOR, REVISED, TASK, TUTORIAL_BUDGET
from tests.harness.llm_server import Answer, LLMServer
from thrifty import Settings, create_budget_agent

NAMES = ("to_state", "from_state")


def count() -> Counter[tuple[str, str]]:
    """The calls of one run, by class and function."""
    calls: Counter[tuple[str, str]] = Counter()
    with LLMServer() as server:
        server.script(Answer(REVISED, when=EDITOR, times=None))
        settings = Settings(api_key="sk-test", base_url=server.base_url, api="chat")
        agent = create_budget_agent(settings=settings)
        agent.invoke({"task": TASK, "budget": TUTORIAL_BUDGET})  # what is made once is made now
        with _counted(calls):
            result = agent.invoke({"task": TASK, "budget": TUTORIAL_BUDGET})
    assert [line["status"] for line in result["receipt"]["lines"]] == ["done"] * 5
    return calls


@contextmanager
def _counted(calls: Counter[tuple[str, str]]) -> Iterator[None]:
    def look(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_name in NAMES and "thrifty" in Path(code.co_filename).parts:
            calls[_kind(frame), code.co_name] += 1

    threading.setprofile(look)  # LangGraph's nodes run in threads of their own
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]  # its types know no way to end it


def _kind(frame: FrameType) -> str:
    given = frame.f_locals
    return str((given["cls"] if "cls" in given else type(given["self"])).__name__)


def main() -> None:
    """Prints a table, the most frequent first."""
    calls = count()
    for (kind, name), times in calls.most_common():
        print(f"{times:5} {kind}.{name}")
    print(f"{calls.total():5} in all")


if __name__ == "__main__":
    main()

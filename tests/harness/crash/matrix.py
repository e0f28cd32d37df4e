"""Lets something happen to a run at a point, resumes it, and holds what is left to the promises."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.conftest import fresh_schema
from tests.harness.crash.accidents import EXPECTED
from tests.harness.crash.verdict import Ended
from tests.harness.llm_server import LLMServer
from tests.harness.postgres_server import PostgresServer

SHAPES = ("sequence", "fan-out", "subgraph", "loop")
DURABILITIES = ("sync", "async", "exit")
LIVES_MAX = 12
AT_ONCE = {"fan-out": 3}
"""How many calls a run of a shape has on their way at most, where it is not one."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where runs are kept."""

    fresh: Callable[[], tuple[str, str]]
    """Gives the addresses of an empty ledger and of empty checkpoints."""
    server: PostgresServer | None = None


def in_files(folder: Path) -> Places:
    """Files in a folder."""
    numbers = count(1)

    def fresh() -> tuple[str, str]:
        number = next(numbers)
        return str(folder / f"ledger{number}.sqlite"), str(folder / f"run{number}.sqlite")

    return Places(fresh)


def in_schemas(conninfo: str, server: PostgresServer | None = None) -> Places:
    """Schemas of a PostgreSQL server."""
    return Places(lambda: (fresh_schema(conninfo), fresh_schema(conninfo)), server)


@dataclass(slots=True)
class ForkServer:
    """A process that lives lives."""

    process: "subprocess.Popen[str]"
    lives: int = 0

    def live(self, job: dict[str, Any]) -> dict[str, Any]:
        """Lives one, and returns what came of it: `killed`, `error`, or a result."""
        assert self.process.stdin
        assert self.process.stdout
        self.lives += 1
        self.process.stdin.write(f"{json.dumps(job)}\n")
        self.process.stdin.flush()
        result: dict[str, Any] = json.loads(self.process.stdout.readline())
        return result


@contextmanager
def fork_server() -> Iterator[ForkServer]:
    """Starts one and ends it."""
    command = [sys.executable, "-m", "tests.harness.crash.fork_server"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield ForkServer(process)
        assert process.stdin
        process.stdin.close()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of run, what happens to it, and where it is kept."""

    shape: str
    durability: str
    accident: str
    places: Places

    def points(self, fork_server: ForkServer, server: LLMServer) -> list[str]:
        """The points that a run passes to which nothing happens."""
        server.clear()
        result = fork_server.live(self._job(server, *self.places.fresh()))
        assert result.get("status") == "done", result
        points: list[str] = result["points"]
        return points

    def struck_at(self, at: Sequence[int], fork_server: ForkServer, server: LLMServer) -> str:
        """Has it happen at these points of its lives, lets the run end; returns what is wrong."""
        server.clear()
        ledger, checkpoints = self.places.fresh()
        job = self._job(server, ledger, checkpoints)
        where = []
        for number in [*at, *[None] * LIVES_MAX]:
            result = fork_server.live({**job, "at": number})
            if self.places.server:
                self.places.server.wait()
            where.append(result.get("struck", "killed"))
            if "status" in result or result.get("error") not in (None, *EXPECTED[self.accident]):
                break
        in_doubt_max = len(at) * AT_ONCE.get(self.shape, 1)
        return "; ".join(Ended(result, ledger, server, in_doubt_max).wrong())

    def _job(self, server: LLMServer, ledger: str, checkpoints: str) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "durability": self.durability,
            "accident": self.accident,
            "server": self.places.server and self.places.server.told,
            "address": ledger,
            "checkpoints": checkpoints,
            "base_url": server.base_url,
            "thread": "t",
            "at": None,
        }

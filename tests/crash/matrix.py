"""Kills a run at a point, resumes it, and holds what is left to the promises."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.conftest import fresh_schema
from tests.ledger.opened import opened
from tests.llm_server import LLMServer

SHAPES = ("sequence", "fan-out", "subgraph", "loop")
DURABILITIES = ("sync", "async", "exit")
LIVES_MAX = 12

Places = Callable[[], tuple[str, str]]
"""Gives the addresses of an empty ledger and empty checkpoints."""


def in_files(folder: Path) -> Places:
    """Files in a folder."""
    numbers = count(1)

    def places() -> tuple[str, str]:
        number = next(numbers)
        return str(folder / f"ledger{number}.sqlite"), str(folder / f"run{number}.sqlite")

    return places


def in_schemas(conninfo: str) -> Places:
    """Schemas of a PostgreSQL server."""
    return lambda: (fresh_schema(conninfo), fresh_schema(conninfo))


@dataclass(frozen=True, slots=True)
class Nursery:
    """A process that lives lives."""

    process: "subprocess.Popen[str]"

    def live(self, job: dict[str, Any]) -> dict[str, Any]:
        """Lives one, and returns what came of it: `killed`, `error`, or a result."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{json.dumps(job)}\n")
        self.process.stdin.flush()
        result: dict[str, Any] = json.loads(self.process.stdout.readline())
        return result


@contextmanager
def nursery() -> Iterator[Nursery]:
    """Starts one and ends it."""
    command = [sys.executable, "-m", "tests.crash.nursery"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield Nursery(process)
        assert process.stdin
        process.stdin.close()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of run, and where it is kept."""

    shape: str
    durability: str
    places: Places

    def points(self, nursery: Nursery, server: LLMServer) -> int:
        """How many points a run passes that nobody kills."""
        server.clear()
        result = nursery.live(self._job(server, *self.places()))
        assert result["status"] == "done", result
        return len(result["points"])

    def killed_at(self, kills: Sequence[int], nursery: Nursery, server: LLMServer) -> str:
        """Kills a run at these points of its lives, lets it end, and returns what is wrong."""
        server.clear()
        ledger, checkpoints = self.places()
        job = self._job(server, ledger, checkpoints)
        for kill_at in [*kills, *[None] * LIVES_MAX]:
            result = nursery.live({**job, "kill_at": kill_at})
            if "killed" not in result:
                break
        return "; ".join(_wrong(result, ledger, server, len(kills), self.shape))

    def _job(self, server: LLMServer, ledger: str, checkpoints: str) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "durability": self.durability,
            "address": ledger,
            "checkpoints": checkpoints,
            "base_url": server.base_url,
            "thread": "t",
            "kill_at": None,
        }


def _wrong(
    result: dict[str, Any], address: str, server: LLMServer, kills: int, shape: str
) -> Iterator[str]:
    """What does not hold after a run was killed and has ended."""
    if result.get("status") not in ("done", "halted"):
        yield f"it ended with {result}"
        return
    if not result["draft"]:
        yield "it has no draft"
    ledger = opened(address)
    accounts = ["t/1", *(f"t/writer/part {part}" for part in (1, 2))]
    bills = []
    for account in accounts:
        try:
            balance, entries = ledger.balance(account), ledger.entries(account)
        except KeyError:
            continue
        bills.append(balance.spent)
        if balance.reserved.amounts != (0, 0, 0, 0):
            yield f"{account} still holds {balance.reserved}"
        if balance.budget.without_latency().exceeded_by(balance.spent):
            yield f"{account} is over: {balance.spent}"
        lost = [entry for entry in entries if entry.status == "in_doubt"]
        at_once = 3 if shape == "fan-out" else 1
        if len(lost) > kills * at_once:
            yield f"{len(lost)} calls are in doubt after {kills} kills"
        keys = Counter(entry.key for entry in entries)
        if max(keys.values(), default=1) > 1:
            yield "a key is booked twice"
    ledger.close()
    if sum(spent.tokens for spent in bills) < server.bill.total_tokens:
        yield f"the provider billed {server.bill.total_tokens} tokens, the ledger knows {bills}"
    prompts = Counter(request.prompt for request in server.requests)
    again = sum(times - 1 for times in prompts.values())
    if again > kills * (3 if shape == "fan-out" else 1):
        yield f"{again} answers were paid again"

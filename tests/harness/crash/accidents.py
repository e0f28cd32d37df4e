"""What can happen to a run at a point: it is killed, a write fails, its database restarts."""

import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

from tests.harness.postgres_server import PostgresServer
from thrifty.budget import LedgerUnavailable

ACCIDENTS = ("kill", "fail", "restart")


class CheckpointFailed(OSError):
    """What a checkpointer raises whose disk fails."""


EXPECTED = {
    "kill": (),
    "fail": (LedgerUnavailable.__name__, CheckpointFailed.__name__),
    "restart": (LedgerUnavailable.__name__, "OperationalError", "AdminShutdown"),
}
"""What a run may end with for the caller, who then resumes it: what the accident itself raised."""


def accident_of(job: Mapping[str, Any]) -> Callable[[str], None]:
    """What is to happen in a life."""
    if job["accident"] == "restart":
        server = PostgresServer.of(job["server"])
        return lambda _: restart(server)
    return {"kill": kill, "fail": fail}[job["accident"]]


def kill(_: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail(name: str) -> None:
    """The write at this point has not happened, or it has and nobody is told."""
    if ".put" in name:
        raise CheckpointFailed("the disk of the checkpoints failed")
    raise LedgerUnavailable("the disk of the ledger failed")


def restart(server: PostgresServer) -> None:
    """Every connection is cut at once, and for a moment there is nobody to connect to."""
    server.stop_at_once()
    server.start()

"""A server that is a process of its own on a free port of loopback, as long as it is entered."""

import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import httpx

START_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 60.0
POLL_S = 0.1


class ServerProcess(ABC):
    """A server, from entering it to leaving it.

    Args:
        folder: where it runs, and its log is kept.
    """

    name: ClassVar[str]
    """What it is called where it does not begin or end."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log_file = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> Sequence[str]:
        """How it is started."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers. What cannot be reached is not ready."""

    def environment(self) -> Mapping[str, str]:
        """What it finds in its environment beside ours."""
        return {}

    @property
    def log(self) -> str:
        """Everything it has said so far."""
        return self._log_file.read_text("utf-8", errors="replace")

    def __enter__(self) -> Self:
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env={**os.environ, **self.environment()},
                stdin=subprocess.PIPE,  # it is closed when we end, however we do
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self._stop(self._process)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._stop(self._process)

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline_s:
                state = "still runs" if process.poll() is None else f"ended: {process.returncode}"
                raise RuntimeError(f"{self.name} is not ready ({state}). Its log:\n{self.log}")
            time.sleep(POLL_S)

    def _answers(self) -> bool:
        try:
            return self.is_ready()
        except httpx.TransportError:
            return False

    def _stop(self, process: "subprocess.Popen[bytes]") -> None:
        """Ends the server and whatever it started: its group has no other members."""
        assert process.stdin is not None, "it was given one"
        process.stdin.close()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise RuntimeError(f"{self.name} did not stop. Its log:\n{self.log}") from None


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port

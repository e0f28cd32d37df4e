"""`langgraph dev`, started for real on a free port of loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

ROOT = Path(__file__).parents[2]
OPENAI_ADDRESS = Path(__file__).parent / "openai_address"
START_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 60.0
POLL_S = 0.1
QUIET = {
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "LANGGRAPH_NO_VERSION_CHECK": "1",
    "LANGSMITH_TRACING": "false",
    "LANGGRAPH_STRICT_MSGPACK": "true",
    "LOG_COLOR": "false",
    # Whatever still wanted to leave this machine over TLS would find nobody there.
    "HTTPS_PROXY": "http://127.0.0.1:9",
}


class DevServer:
    """The server that Studio talks to.

    Args:
        folder: where it runs and keeps its state; nothing is left in the repository.
        environment: what its graphs find in their environment, beside ours.
        config: which graphs it has; by default those of the repository.
    """

    def __init__(
        self, folder: Path, environment: dict[str, str], config: Path = ROOT / "langgraph.json"
    ) -> None:
        self._folder, self._config = folder, config
        self._log_file = folder / "server.log"
        self._environment = {**os.environ, **QUIET, **environment}
        known = self._environment.get("PYTHONPATH", "")
        self._environment["PYTHONPATH"] = f"{OPENAI_ADDRESS}{os.pathsep}{known}"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{_free_port()}"

    @property
    def log(self) -> str:
        """Everything it has said so far."""
        return self._log_file.read_text("utf-8", errors="replace")

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "langgraph_cli", "dev", "--no-browser", "--no-reload"]
        command += ["--config", str(self._config), "--port", self.url.split(":")[-1]]
        with self._log_file.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
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

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            if process.poll() is not None or time.monotonic() > deadline_s:
                state = "still runs" if process.poll() is None else f"ended: {process.returncode}"
                raise RuntimeError(f"langgraph dev is not ready ({state}). Its log:\n{self.log}")
            time.sleep(POLL_S)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ok", timeout=2, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ends the server and whatever it started: its group has no other members."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise RuntimeError(f"langgraph dev did not stop. Its log:\n{self.log}") from None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port

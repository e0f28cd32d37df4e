"""The model's server as a process of its own, and what it says of the tokens it has used."""

import json
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

PROGRAM = Path(__file__).with_name("serve.py")
START_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 60.0
POLL_S = 0.1
READ_TIMEOUT_S = 240.0
"""How long it may be busy with an answer before it says what was used."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a server has read and written."""

    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Both together."""
        return self.input_tokens + self.output_tokens

    def __sub__(self, earlier: "Used") -> "Used":
        read = self.input_tokens - earlier.input_tokens
        return Used(read, self.output_tokens - earlier.output_tokens)


class ModelServer:
    """The server, from entering it to leaving it.

    Args:
        python: of the environment in which the wheels are.
        folder: where it writes what it has to say.
    """

    def __init__(self, python: Path, folder: Path) -> None:
        self._python, self._log_file = python, folder / "model-server.log"
        self._address = f"http://127.0.0.1:{_free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        """What a client is given as its base URL."""
        return f"{self._address}/v1"

    def used(self) -> Used:
        """What it has read and written since it began, by its own count."""
        text = httpx.get(f"{self._address}/metrics", timeout=READ_TIMEOUT_S).text
        counts = dict(line.split(" ") for line in text.splitlines() if not line.startswith("#"))
        names = ("llamacpp:prompt_tokens_total", "llamacpp:tokens_predicted_total")
        return Used(*(int(counts[name]) for name in names))

    def __enter__(self) -> Self:
        command = [str(self._python), str(PROGRAM), self._address.rpartition(":")[2]]
        with self._log_file.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            self._wait_until_loaded(self._process)
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

    def _wait_until_loaded(self, process: "subprocess.Popen[bytes]") -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not self._is_loaded():
            if process.poll() is not None or time.monotonic() > deadline_s:
                state = "still runs" if process.poll() is None else f"ended: {process.returncode}"
                log = self._log_file.read_text("utf-8", errors="replace")
                raise RuntimeError(f"the model's server is not ready ({state}). It said:\n{log}")
            time.sleep(POLL_S)

    def _is_loaded(self) -> bool:
        """Whether it answers, and no longer 503."""
        try:
            health = httpx.get(f"{self._address}/health", timeout=READ_TIMEOUT_S)
        except httpx.TransportError:
            return False
        return health.status_code == httpx.codes.OK and json.loads(health.text)["status"] == "ok"

    def _stop(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None, "it was given one"
        process.stdin.close()  # its sign to end
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port

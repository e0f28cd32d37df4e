"""The model's server as a process of its own, and what it says of the tokens it has used."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.harness.server_process import ServerProcess

PROGRAM = Path(__file__).with_name("serve.py")
READ_TIMEOUT_S = 240.0
"""How long it may be busy with an answer before it says what was used."""
AT_WORK = ("llamacpp:requests_processing", "llamacpp:requests_deferred")


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


class ModelServer(ServerProcess):
    """The server, from entering it to leaving it.

    Args:
        python: of the environment in which the wheels are.
        folder: where it writes what it has to say.
    """

    name = "the model's server"

    def __init__(self, python: Path, folder: Path) -> None:
        super().__init__(folder)
        self._python = python

    @property
    def base_url(self) -> str:
        """What a client is given as its base URL."""
        return f"{self.url}/v1"

    def used(self) -> Used:
        """What it has read and written since it began, by its own count."""
        counts = self._counts()
        names = ("llamacpp:prompt_tokens_total", "llamacpp:tokens_predicted_total")
        return Used(*(int(counts[name]) for name in names))

    def wait_until_idle(self) -> None:
        """Waits for what it still writes for somebody who has left."""
        while any(int(self._counts()[name]) for name in AT_WORK):
            time.sleep(0.05)

    def _counts(self) -> dict[str, str]:
        text = httpx.get(f"{self.url}/metrics", timeout=READ_TIMEOUT_S).text
        return dict(line.split(" ") for line in text.splitlines() if not line.startswith("#"))

    def command(self) -> list[str]:
        """In the environment of the model."""
        return [str(self._python), str(PROGRAM), str(self.port)]

    def is_ready(self) -> bool:
        """Whether it answers, and no longer 503."""
        health = httpx.get(f"{self.url}/health", timeout=READ_TIMEOUT_S)
        return health.status_code == httpx.codes.OK and json.loads(health.text)["status"] == "ok"

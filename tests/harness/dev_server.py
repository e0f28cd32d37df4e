"""`langgraph dev`, started for real on a free port of loopback."""

import os
import sys
from pathlib import Path

import httpx

from tests.harness.server_process import ServerProcess

ROOT = Path(__file__).parents[2]
OPENAI_ADDRESS = Path(__file__).parent / "openai_address"
QUIET = {
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "LANGGRAPH_NO_VERSION_CHECK": "1",
    "LANGSMITH_TRACING": "false",
    "LANGGRAPH_STRICT_MSGPACK": "true",
    "LOG_COLOR": "false",
    # Whatever still wanted to leave this machine over TLS would find nobody there.
    "HTTPS_PROXY": "http://127.0.0.1:9",
}


class DevServer(ServerProcess):
    """The server that Studio talks to.

    Args:
        folder: where it runs and keeps its state; nothing is left in the repository.
        environment: what its graphs find in their environment, beside ours.
        config: which graphs it has; by default those of the repository.
    """

    name = "langgraph dev"

    def __init__(
        self, folder: Path, environment: dict[str, str], config: Path = ROOT / "langgraph.json"
    ) -> None:
        super().__init__(folder)
        self._environment, self._config = environment, config

    def command(self) -> list[str]:
        """Without a browser, and without looking at changed files."""
        command = [sys.executable, "-m", "langgraph_cli", "dev", "--no-browser", "--no-reload"]
        return [*command, "--config", str(self._config), "--port", str(self.port)]

    def environment(self) -> dict[str, str]:
        """In which the fake provider is taken for OpenAI."""
        found = {**QUIET, **self._environment}
        known = {**os.environ, **found}.get("PYTHONPATH", "")
        return {**found, "PYTHONPATH": f"{OPENAI_ADDRESS}{os.pathsep}{known}"}

    def is_ready(self) -> bool:
        """Whether it says so."""
        return httpx.get(f"{self.url}/ok", timeout=2, trust_env=False).is_success

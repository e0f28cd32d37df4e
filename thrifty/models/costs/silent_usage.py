"""Says once of a server that never tells what its answers use: each costs its whole reservation."""

import logging
from threading import Lock
from typing import Any

logger = logging.getLogger(__name__)

ENDS = ("finish_reason", "status", "stop_reason", "done_reason")
"""Where an answer says that it is whole: of one that broke off, nobody expects a count."""
REMEDY = (
    "have the server report usage, in streams as well, or keep reservations small with "
    "max_output_tokens"
)


class SilentServers:
    """Which models have told what their answers use, and of which it was said that they do not."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()
        self._lock = Lock()

    def note(self, provider: str, model: str, message: Any, *, is_told: bool) -> None:
        """Takes note of an answer, and says so if it is the first without a count.

        Args:
            provider: who was asked.
            model: which model.
            message: the answer.
            is_told: whether it came with a count that can be true.
        """
        if not is_told and not any(message.response_metadata.get(end) for end in ENDS):
            return
        with self._lock:
            is_first = (provider, model) not in self._known
            self._known.add((provider, model))
        if is_first and not is_told:
            told = "%s does not say what its answers use: each call costs its reservation; %s"
            logger.warning(told, model, REMEDY)


silent_servers = SilentServers()
"""Of this process."""

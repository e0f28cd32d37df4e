"""What a server adds to what it is sent, unseen, as far as its bills have shown it.

A chat template may tell a model more than there is room for, and a gateway may put a prompt of its
own before each request. So a bound that a server has passed once is wider for it from then on.
"""

import logging
from threading import Lock

logger = logging.getLogger(__name__)


class UnseenInput:
    """The most that each model of each server was billed beyond its bound."""

    def __init__(self) -> None:
        self.most: dict[tuple[str, str], int] = {}
        """By address and model, in tokens."""
        self._lock = Lock()

    def room(self, address: str, model: str) -> int:
        """How many tokens more than its bound a request may be billed."""
        return self.most.get(_server(address, model), 0)

    def note(self, address: str, model: str, bound: int, billed: int) -> None:
        """Takes note of a bill.

        Args:
            address: where it was asked.
            model: who was asked.
            bound: the most input tokens that the request could be, by what was sent.
            billed: how many it was billed.
        """
        beyond, server = billed - bound, _server(address, model)
        with self._lock:
            if beyond <= self.most.get(server, 0):
                return
            self.most[server] = beyond
        told = "%s reads %d tokens more than it is sent: so many more are reserved from now on"
        logger.warning(told, model, beyond)


def _server(address: str, model: str) -> tuple[str, str]:
    return address.removesuffix("/"), model


unseen_input = UnseenInput()
"""Of this process."""

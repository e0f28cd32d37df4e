"""Who drives a run: one invocation of the agent at a time, which holds its lease in the ledger."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from thrifty.ledger.active_runs import CURRENT_DRIVER
from thrifty.run.active_time import known_ms
from thrifty.run.services import Services


@contextmanager
def drive_as(driver: str) -> Iterator[None]:
    """Lets the nodes that start within it know which invocation they run for."""
    before = CURRENT_DRIVER.set(driver)
    try:
        yield
    finally:
        CURRENT_DRIVER.reset(before)


def hold_run(node: str, state: Any, services: Services) -> AbstractContextManager[None]:
    """Holds a run while one of its nodes works.

    The first node knows its run only when it has opened it. So it takes the run itself.

    Raises:
        LeaseLost: another invocation drives the run.
    """
    if node == "generate_options":
        services.runs.retry_lease_returns()
        return nullcontext()
    return services.runs.track_node(state["run"]["id"], lambda: known_ms(state))

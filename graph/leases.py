"""Who drives a run: one invocation of the agent at a time, which holds its lease in the ledger."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from thrifty.ledger.active_runs import CURRENT_DRIVER
from thrifty.models.calls.node_attempts import BRINGS_ANSWER
from thrifty.run.active_time import known_ms
from thrifty.run.services import Services


@contextmanager
def drive_as(driver: str, brings_answer: bool | None) -> Iterator[None]:
    """Lets the nodes that start within it know which invocation they run for.

    Args:
        driver: its name.
        brings_answer: whether a person's answer came with it. None where nobody knows.
    """
    driver_before, answer_before = (
        CURRENT_DRIVER.set(driver),
        BRINGS_ANSWER.set((driver, brings_answer)),
    )
    try:
        yield
    finally:
        CURRENT_DRIVER.reset(driver_before)
        BRINGS_ANSWER.reset(answer_before)


def hold_run(run_id: str | None, state: Any, services: Services) -> AbstractContextManager[None]:
    """Holds a run while one of its nodes works.

    Args:
        run_id: the run's account. None for the first node, which takes the run itself, once it
            has opened it.
        state: what the node was given.
        services: what it works with.

    Raises:
        LeaseLost: another invocation drives the run.
    """
    if run_id is None:
        services.runs.retry_lease_returns()
        return nullcontext()
    return services.runs.track_node(run_id, lambda: known_ms(state))

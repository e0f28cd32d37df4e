"""Says when an account has spent a given share of a limit: once in each window, to whoever asks.

That it was said is kept in the ledger. So of many processes that watch one ledger, the one whose
call passed the threshold says it, and no other.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from threading import Thread
from urllib.request import Request, urlopen

from thrifty.budget.periods import Period
from thrifty.budget.resources import LATENCY, RESOURCES
from thrifty.ledger import windows
from thrifty.ledger.calls import require_account
from thrifty.ledger.storage import Counter, Tables
from thrifty.ledger.windows import CurrentCounter

logger = logging.getLogger(__name__)

PERCENTS_DEFAULT = (50, 80, 100)
WEBHOOK_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class ThresholdReached:
    """An account has spent a share of a limit."""

    account: str
    period: Period
    percent: int
    """The threshold, in percent of the limit."""
    resource: str
    """Of which most is spent: `tokens`, `cost` or `tool_calls`."""
    spent: int
    """In that resource's unit: tokens, nano-USD or calls. What is reserved does not count."""
    limit: int
    resets_at_ms: int | None
    """When the window ends, in milliseconds since 1970. None for the period `run`."""

    def __str__(self) -> str:
        shown = next(r for r in RESOURCES if r.name == self.resource)
        whose = "its " if self.period == "run" else f"the {self.period}'s "
        return (
            f"{self.account} has spent {self.percent}% of {whose}limit: "
            f"{shown.show(self.spent)} of {shown.show(self.limit)}"
        )


ThresholdHook = Callable[[ThresholdReached], None]
"""Is called after the act that reached a threshold, in the thread of that act."""


def log_threshold(reached: ThresholdReached) -> None:
    """A hook that writes one line to the log, as a warning."""
    logger.warning("%s", reached)


def post_threshold(url: str) -> ThresholdHook:
    """A hook that posts what was reached, as JSON, to a web address of yours.

    It posts in a thread of its own, and what fails is a line in the log: no call waits for it.
    """

    def hook(reached: ThresholdReached) -> None:
        Thread(target=_post, args=(url, reached), name="thrifty-webhook", daemon=True).start()

    return hook


def _post(url: str, reached: ThresholdReached) -> None:
    body = json.dumps({**asdict(reached), "text": str(reached)}).encode()
    request = Request(url, body, {"Content-Type": "application/json"})
    try:
        urlopen(request, timeout=WEBHOOK_TIMEOUT_S).close()
    except (OSError, ValueError) as error:
        logger.error("could not post that %s: %s", reached, error)


def call_hook(hook: ThresholdHook, reached: ThresholdReached) -> None:
    """Calls a hook. What it raises is a line in the log, and breaks no call."""
    try:
        hook(reached)
    except Exception:
        logger.exception("a hook failed that was told: %s", reached)


def find_reached(
    tables: Tables, account: str, percents: Collection[int]
) -> list[tuple[Counter, ThresholdReached]]:
    """What an account and those above it have reached, and nobody was told of in this window."""
    current = windows.current_counters(tables, require_account(tables, account))
    return [
        (each.counter, reached)
        for each in current
        for reached in _reached_in(tables, each, percents)
    ]


def note_reached(tables: Tables, account: str, percents: Collection[int]) -> list[ThresholdReached]:
    """The same, and writes down that it is told."""
    found = find_reached(tables, account, percents)
    for counter, reached in found:
        tables.set_counter(counter._replace(notified=reached.percent))
    return [reached for _, reached in found]


def _reached_in(
    tables: Tables, current: CurrentCounter, percents: Collection[int]
) -> Iterator[ThresholdReached]:
    """Each threshold that is reached anew, the lowest first."""
    counter = current.counter
    # A minute's windows of ten seconds would say it again and again.
    if counter.period == "minute" or counter.id == windows.NOT_STORED:
        return
    shares = [
        (100 * spent // max(1, limit), resource.name, spent, limit)
        for resource, limit, spent in zip(RESOURCES, counter.limits, counter.spent, strict=True)
        if limit is not None and resource is not LATENCY and spent
    ]
    share, resource, spent, limit = max(shares, default=(0, "", 0, 0))
    for percent in sorted(percents):
        if counter.notified < percent <= share:
            resets_at_ms = windows.resets_at_ms(tables, counter)
            window = current.account.name, counter.period, percent
            yield ThresholdReached(*window, resource, spent, limit, resets_at_ms)

"""What a call may use, and where it is booked."""

from collections.abc import Callable
from dataclasses import dataclass

from thrifty.budget import Budget, Spend, ThriftyError
from thrifty.budget.clock import elapsed_ms
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import AccountOrLease
from thrifty.models.calls.last_answer import LastAnswer

OUTPUT_CAP_MIN = 16
"""No answer is useful below it."""
OUTPUT_CAP_UNKNOWN = 4_096
"""The largest cap that is sent to a model of which nobody knows how long its answers can be."""
ATTEMPTS_DEFAULT = 2


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a call may use, and where it is booked."""

    ledger: Ledger
    account: AccountOrLease
    key: str
    """Made before the call; each attempt has its number added."""
    label: str
    """What the call is for, as the bill names it."""
    limit: Spend | None
    """The most that one attempt may use; None: all that is left in the account."""
    left_ms: Callable[[Budget], int | None]
    """How much time is left now, under the account's limits as they are; None without a limit."""
    useful_tokens: int = OUTPUT_CAP_MIN
    """An answer that has to be shorter than this is not worth its input."""
    attempts_max: int = ATTEMPTS_DEFAULT
    """How often it is tried where that may help; each attempt is reserved by itself."""
    patience_ms: int = 0
    """How long to wait for what others hold, where the answer could then be longer."""
    hold_quantile: float = 1.0
    """The share of answers that a first hold is enough for, where callers compete; 1: of all."""
    last_answer: LastAnswer | None = None
    """What is kept back for an answer that reads the one to this call; None: nothing is."""
    on_refusal: Callable[[ThriftyError], None] | None = None
    """Is told why a call was not sent at all."""


def countdown(started_ns: int) -> Callable[[Budget], int | None]:
    """Counts down the latency limit of an account from a moment on."""

    def left_ms(limits: Budget) -> int | None:
        limit_ms = limits.max_latency_ms
        return None if limit_ms is None else max(0, limit_ms - elapsed_ms(started_ns))

    return left_ms

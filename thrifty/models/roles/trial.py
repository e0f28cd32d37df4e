"""The smallest call that a model takes, to see whether it answers: it is paid, and booked."""

from dataclasses import dataclass

from thrifty.budget import Budget, ThriftyError
from thrifty.budget.clock import elapsed_ms, now_ns
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import Entry
from thrifty.models.calls.allowance import Allowance
from thrifty.models.roles.chat_clients import make_client
from thrifty.models.roles.model_role import ModelRole

QUESTION = "Hi"
DEADLINE_MS = 30_000


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a call."""

    entry: Entry | None
    """Its line on the bill. None where none was begun."""
    error: ThriftyError | None = None
    """Why there was no answer."""


def try_model(role: ModelRole, ledger: Ledger, account: str) -> Trial:
    """Asks a model once, for the shortest answer that its server gives.

    Args:
        role: who is asked.
        ledger: where it is booked.
        account: in which account there. It is opened for this call, and closed after it.
    """
    from thrifty.models.calls.metered_model import MeteredChatModel  # LangChain: only when asked

    started_ns = now_ns()

    def left_ms(limits: Budget) -> int:
        return max(0, DEADLINE_MS - elapsed_ms(started_ns))

    error, key = None, "trial"
    ledger.open(account, Budget(max_tool_calls=1))
    label = f"trial of {role.label}"
    allowance = Allowance(ledger, account, key, label, None, left_ms, attempts_max=1)
    bounds = role.call_bounds(role.output_tokens_least)
    try:
        client = make_client(role)
        MeteredChatModel(client, lambda _: allowance, bounds, role.prices).invoke(QUESTION)
    except ThriftyError as refused:
        error = refused
    entries = list(ledger.entries(account))
    ledger.close(account)
    return Trial(entries[-1] if entries else None, error)

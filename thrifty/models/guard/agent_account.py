"""The account of an agent that is no step of a run: nothing was reserved for it before."""

from collections.abc import Callable
from uuid import uuid4

from thrifty.budget import Budget
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import AccountOrLease, Entry
from thrifty.models.calls.current_account import booking_place, enclosing_account
from thrifty.models.calls.step_account import StepAccount


class AgentAccount(StepAccount):
    """Of an agent: its calls are booked straight on an account, beside those of others.

    Args:
        ledger: where it is booked.
        account: an account that is open there.
        left_ms: how much of the latency limit is left now; None without a limit.
    """

    def __init__(
        self,
        ledger: Ledger,
        account: AccountOrLease,
        left_ms: Callable[[], int | None] = lambda: None,
    ) -> None:
        ledger, account = booking_place(ledger, account)
        super().__init__(Budget(), left_ms, enclosing_account(ledger, account))
        self.ledger, self.account, self.is_reserved = ledger, account, False
        self._name = uuid4().hex

    def _key(self, number: int) -> str:
        return f"agent-{self._name}/{number}"

    def _metered_key(self, digest: str, number: int) -> str:
        return f"agent-{self._name}/{super()._metered_key(digest, number)}"

    def _entries(self) -> list[Entry]:
        """Those that are still held: an account may have very many, and most are not its own."""
        entries = [self.ledger.entry(self.account, key) for key in tuple(self._outer_keys)]
        return [entry for entry in entries if entry is not None]

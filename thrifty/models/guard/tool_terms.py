"""What an agent's tools cost, and how much of them there may be.

The limits of a tool are those of an account of its own, below that of the agent. A call of the tool
is booked there, and so in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thrifty.budget import Budget, InvalidInput, Spend
from thrifty.budget.option import SPEND_EXAMPLE
from thrifty.budget.periods import Limits, Period, limits_by_period
from thrifty.ledger.account_names import join_account
from thrifty.ledger.calls import Caller
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.guard.agent_account import AgentAccount

TOOL_KIND = "tool:"
"""What the names of tools' accounts begin with."""
TERMS_EXAMPLE = f'a price, {SPEND_EXAMPLE}, limits as in "20 calls a day", or both in a tuple'

GivenTerms = Spend | Limits | tuple[Spend, Limits]
"""A price for each call, limits for all of them, or both."""


@dataclass(frozen=True, slots=True)
class ToolTerms:
    """What calls of one tool cost, and what limits them."""

    price: Spend = Spend()
    """What each uses beside the call itself."""
    limits: Mapping[Period, Budget] | None = None
    """None where only the agent's account limits them."""

    @classmethod
    def read(cls, field: str, given: Any) -> "ToolTerms":
        """Reads what a caller gave.

        Raises:
            InvalidInput: it is neither a price nor limits nor both.
        """
        price, limits = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
        if isinstance(price, Spend):
            return cls(price, None if limits is None else limits_by_period(limits, field))
        if limits is None and isinstance(given, str | Budget | Mapping):
            return cls(limits=limits_by_period(given, field))
        raise InvalidInput(field, given, f"use {TERMS_EXAMPLE}")

    def open_account(self, agent: StepAccount, tool: str, run: str | None) -> StepAccount | None:
        """The account on which a call is booked. None where it is the agent's.

        Args:
            agent: the agent's.
            tool: the tool's name.
            run: the run that the limits count for. None: they count for the agent's account.

        Raises:
            ThriftyError: it cannot be opened.
        """
        if self.limits is None:
            return None
        above = Caller.of(agent.account).account
        parts = [("account", above), ("tool", tool), ("run", run or "")]
        name = join_account(TOOL_KIND, parts)
        agent.ledger.open(name, self.limits, parent=above)
        return AgentAccount(agent.ledger, name, agent.left_ms)

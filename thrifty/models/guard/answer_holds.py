"""What is held for an agent's last answer while its tools are called, on the agent's own account.

Tools of one message may be called side by side, and share what is held. It is held as a call that
was not sent, which anybody may release whose process is left when this one is gone.
"""

from dataclasses import dataclass
from threading import Lock
from typing import Any

from thrifty.budget import Spend
from thrifty.models.calls.last_answer import needed_after
from thrifty.models.calls.step_account import StepAccount

LABEL = "an answer after it"


@dataclass(slots=True)
class Hold:
    """What is held for one answer."""

    name: str
    """Of the message whose tools are called."""
    account: StepAccount
    key: str
    tools: int = 0
    """How many of its tools are being called."""


class AnswerHolds:
    """What is held for the last answers of agents."""

    def __init__(self) -> None:
        self._holds: dict[str, Hold] = {}
        self._lock = Lock()

    def hold(self, request: Any, account: StepAccount) -> Hold | None:
        """Holds what an answer takes after a tool, unless another tool of its message does.

        Args:
            request: LangChain's, for the tool.
            account: of the agent, for this alone.

        Returns:
            What is to be released. None where nobody knows what the answer takes.

        Raises:
            BudgetExceeded: it does not fit.
        """
        call_id, messages = request.tool_call["id"], request.state["messages"]
        needed = needed_after(messages, call_id)
        if needed is None:
            return None
        name = f"{account.account}/{_message_of(messages, call_id)}"
        with self._lock:
            hold = self._holds.get(name) or self._begin(name, account, needed)
            hold.tools += 1
        return hold

    def release(self, hold: Hold | None) -> None:
        """Releases it, once the last of the tools is back."""
        if hold is None:
            return
        with self._lock:
            hold.tools -= 1
            if hold.tools:
                return
            del self._holds[hold.name]
            hold.account.release(hold.key)

    def _begin(self, name: str, account: StepAccount, needed: Spend) -> Hold:
        hold = Hold(name, account, account.reserve(LABEL, needed, unsent=True))
        self._holds[name] = hold
        return hold


def _message_of(messages: Any, call_id: object) -> str:
    """A name of the message that calls a tool: the ids of all of its calls."""
    calls = next(
        message.tool_calls
        for message in reversed(messages)
        if any(call["id"] == call_id for call in getattr(message, "tool_calls", ()))
    )
    return " ".join(str(call["id"]) for call in calls)

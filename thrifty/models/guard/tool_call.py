"""A call of an agent's tool: where it is booked, and what the model reads of it."""

import logging
from typing import Any

from langchain_core.messages import ToolMessage

from thrifty.budget import ThriftyError
from thrifty.ledger.notes import Notes
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.guard.agent_messages import ToolAnswer
from thrifty.models.guard.answer_holds import AnswerHolds, Hold
from thrifty.models.guard.tool_call_place import ToolCallPlace, place_by_message

logger = logging.getLogger(__name__)


class ToolCall:
    """A call.

    Args:
        request: LangChain's.
        account: where it is booked.
        agent: the agent's account, for what is held of it alone.
        holds: what is kept back of it.
    """

    def __init__(
        self, request: Any, account: StepAccount, agent: StepAccount, holds: AnswerHolds
    ) -> None:
        self._request, self.account, self._agent = request, account, agent
        self._holds = holds
        self._hold: Hold | None = None
        self._returned: list[ToolAnswer] = []

    @property
    def place(self) -> ToolCallPlace:
        """Where it stands in the ledger."""
        name = self._request.tool_call["name"]
        return place_by_message(
            self._request, Notes(self.account.ledger, self.account.account, name)
        )

    def keep_back(self) -> None:
        """Holds what an answer takes that comes after it.

        Raises:
            BudgetExceeded: it does not fit.
        """
        self._hold = self._holds.hold(self._request, self._agent)

    def note(self, answer: ToolAnswer) -> ToolAnswer:
        """Notes what the tool has returned, and hands it on."""
        self._returned.append(answer)
        return answer

    def tell(self, why: ThriftyError) -> ToolAnswer:
        """What the model reads of a call that has ended in an error of ours.

        If the tool has returned, the books alone have failed.
        """
        call = self._request.tool_call
        for answer in self._returned:
            logger.error("%r was called, and is not settled yet: %s", call["name"], why)
            return answer
        called = self.account.has_called
        known = "Called, but stopped before its end" if called else "Not called"
        return ToolMessage(
            f"{known}: {why}.", tool_call_id=call["id"], name=call["name"], status="error"
        )

    def end(self) -> None:
        """Releases what was held, once no tool of its message needs it."""
        self._holds.release(self._hold)

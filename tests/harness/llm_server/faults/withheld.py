"""Questions that a filter has read, and to which no model says anything (Gemini)."""

from dataclasses import dataclass, replace

from tests.harness.llm_server.behaviour import Behaviour
from tests.harness.llm_server.journal import Request
from tests.harness.llm_server.reply import Reply


@dataclass(frozen=True, kw_only=True)
class BlockedPrompt(Behaviour):
    """Reads the question, bills that, and says why it gives no answer."""

    def reply(self, request: Request) -> Reply:
        """No answer, and what was read for it."""
        reply = super().reply(request)
        bill = replace(reply.bill, output_tokens=0, reasoning_tokens=0)
        return replace(reply, parts=(), bill=bill, usage=bill, is_blocked=True)

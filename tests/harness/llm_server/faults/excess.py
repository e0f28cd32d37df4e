"""Answers longer than the request allowed, and requests longer than they were sent."""

from dataclasses import dataclass, replace

from tests.harness.llm_server import prose
from tests.harness.llm_server.answers import ToolCall
from tests.harness.llm_server.behaviour import Behaviour
from tests.harness.llm_server.journal import Request
from tests.harness.llm_server.reply import Reply, compose


@dataclass(frozen=True, kw_only=True)
class OverCap(Behaviour):
    """Generates so many tokens more than the cap, and says so truthfully.

    Text is longer; a structured answer stays whole and the surplus is reasoning. A request without
    a cap gets the honest answer.
    """

    extra_tokens: int = 100

    def reply(self, request: Request) -> Reply:
        """A reply above the cap."""
        if request.output_cap is None:
            return super().reply(request)
        output_tokens = request.output_cap + self.extra_tokens
        if not (request.must_call or request.json_wanted):
            longer = replace(self.answer, content=None, tokens=output_tokens, reasoning_tokens=0)
            return compose(request, longer, obeys_cap=False)
        uncapped = compose(request, replace(self.answer, reasoning_tokens=0), obeys_cap=False)
        surplus = max(0, output_tokens - uncapped.bill.output_tokens)
        thoughtful = replace(self.answer, reasoning_tokens=surplus)
        return compose(request, thoughtful, obeys_cap=False)


@dataclass(frozen=True, kw_only=True)
class ChatTemplate(Behaviour):
    """Adds instructions of its own to what it is asked, as servers of one's own do, and bills them.

    They are the default system prompt of a chat template, or how it explains tools.
    """

    added_tokens: int = 32

    def reply(self, request: Request) -> Reply:
        """The honest reply to what the model has read."""
        reply = super().reply(request)
        bill = replace(reply.bill, input_tokens=reply.bill.input_tokens + self.added_tokens)
        return replace(reply, bill=bill, usage=bill)


@dataclass(frozen=True, kw_only=True)
class LongAnswer(Behaviour):
    """Says the answer it should give N times over, cap or no cap, and says so truthfully."""

    repeats: int = 3

    def reply(self, request: Request) -> Reply:
        """The honest reply, repeated."""
        honest = super().reply(request)
        text = " ".join([honest.text or prose.exactly(honest.bill.output_tokens)] * self.repeats)
        calls = [ToolCall(call.function or "", call.text) for call in honest.calls] * self.repeats
        content = calls or text
        return compose(request, replace(self.answer, content=content, tokens=None), obeys_cap=False)

"""Good answers that say something else than what they used."""

from dataclasses import dataclass, replace

from tests.harness.llm_server.behaviour import Behaviour
from tests.harness.llm_server.journal import Request
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.usage import Bill


@dataclass(frozen=True, kw_only=True)
class MissingUsage(Behaviour):
    """Answers well and says nothing of usage."""

    def reply(self, request: Request) -> Reply:
        """The honest reply without usage."""
        return replace(super().reply(request), usage=None)


@dataclass(frozen=True, kw_only=True)
class ClaimedUsage(Behaviour):
    """Answers well and claims this usage; None is the truth. The bill stays true."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_input_tokens: int | None = None

    def reply(self, request: Request) -> Reply:
        """The honest reply with other numbers."""
        reply = super().reply(request)
        return replace(reply, usage=self.claim(reply.bill))

    def claim(self, bill: Bill) -> Bill:
        """What it says it used."""
        names = ("input_tokens", "output_tokens", "reasoning_tokens", "cached_input_tokens")
        told = {name: getattr(self, name) for name in names}
        return replace(bill, **{name: told[name] for name in names if told[name] is not None})


@dataclass(frozen=True, kw_only=True)
class ZeroUsage(ClaimedUsage):
    """Answers well and claims that nothing was used."""

    def claim(self, bill: Bill) -> Bill:
        """Nothing."""
        return Bill()


@dataclass(frozen=True, kw_only=True)
class NegativeUsage(ClaimedUsage):
    """Answers well and claims the negative of what was used."""

    def claim(self, bill: Bill) -> Bill:
        """Less than nothing."""
        return Bill(-bill.input_tokens, -bill.output_tokens)


@dataclass(frozen=True)
class ApartBill(Bill):
    """A bill whose reasoning is no part of its output."""

    @property
    def total_tokens(self) -> int:
        """Input, output and reasoning."""
        return super().total_tokens + self.reasoning_tokens


@dataclass(frozen=True, kw_only=True)
class ReasoningApart(ClaimedUsage):
    """Leaves the reasoning out of the output and counts it in the total alone, as some do."""

    def claim(self, bill: Bill) -> Bill:
        """The truth, written otherwise."""
        shown = bill.output_tokens - bill.reasoning_tokens
        return ApartBill(bill.input_tokens, shown, bill.reasoning_tokens, bill.cached_input_tokens)


@dataclass(frozen=True, kw_only=True)
class RunningUsage(Behaviour):
    """Says in each piece of a stream what was used so far, as some do (Chat Completions)."""

    def reply(self, request: Request) -> Reply:
        """The honest reply, told so."""
        return replace(super().reply(request), is_usage_running=True)

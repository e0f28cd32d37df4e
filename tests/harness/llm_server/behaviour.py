"""How a request is answered: honestly, unless a fault (see `faults/`) changes one respect."""

import asyncio
from dataclasses import dataclass, field

from tests.harness.llm_server.answers import Answer, Cue
from tests.harness.llm_server.journal import Request
from tests.harness.llm_server.reply import Reply, compose
from tests.harness.llm_server.stage import Stage
from tests.harness.llm_server.usage import Bill


@dataclass(frozen=True, kw_only=True)
class Behaviour(Cue):
    """Answers honestly; the others differ from this in one respect each."""

    answer: Answer = field(default_factory=Answer)
    """What it answers, as far as it gets."""
    billed: bool = True
    """The provider charges for the answer."""

    @classmethod
    def playing(cls, entry: "Answer | Behaviour") -> "Behaviour":
        """The behaviour that a script's entry stands for."""
        if isinstance(entry, Behaviour):
            return entry
        return Behaviour(answer=entry, delay_ms=entry.delay_ms)

    @property
    def title(self) -> str:
        """Its name in the records."""
        return "Answer" if type(self) is Behaviour else type(self).__name__

    def reply(self, request: Request) -> Reply:
        """What the model generates."""
        return compose(request, self.answer)

    def bill(self, reply: Reply) -> Bill:
        """What the provider charges for it."""
        return reply.bill if self.billed else Bill()

    async def perform(self, stage: Stage, reply: Reply) -> None:
        """Answer the request, after the delay."""
        await asyncio.sleep(self.delay_ms / 1000)
        await self.send(stage, reply)

    async def send(self, stage: Stage, reply: Reply) -> None:
        """Hand the reply to the client."""
        await stage.send(reply)

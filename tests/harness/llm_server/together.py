"""Answers that wait for each other, so that requests overlap however fast the machine is."""

import asyncio
from dataclasses import dataclass

from tests.harness.llm_server.behaviour import Behaviour
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.stage import Stage


@dataclass(frozen=True, kw_only=True)
class Together(Behaviour):
    """Answers once all who share its barrier have been asked."""

    barrier: asyncio.Barrier

    async def perform(self, stage: Stage, reply: Reply) -> None:
        """Wait for the others, then answer."""
        await self.barrier.wait()
        await self.send(stage, reply)

"""pydantic-ai-harness: one `SpendLimits` with a total in dollars, shared by all agents."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from pydantic_ai import Agent
from pydantic_ai_harness import SpendLimits
from pydantic_ai_harness.spend import Budget, SpendLimitExceeded

from benchmarks.overshoot.systems.pydantic_ai_limit import chat_model, settings
from benchmarks.overshoot.workload import AgentStopped, Cell


class SpendRun:
    def __init__(self, cell: Cell, base_url: str) -> None:
        total = Budget[None](usd=Decimal(cell.cap_usd), window="total")
        self.limits = SpendLimits[None](budgets=[total], on_unpriced="raise")
        self._agent = Agent(
            chat_model(base_url), model_settings=settings(cell), capabilities=[self.limits]
        )
        self.spent = 0.0

    async def ask(self, prompt: str) -> str:
        try:
            result = await self._agent.run(prompt)
        except SpendLimitExceeded:
            raise AgentStopped from None
        (status,) = await self.limits.status()
        self.spent = float(status.spent.usd)
        return result.response.finish_reason or ""

    def spent_usd(self) -> float:
        return self.spent


@asynccontextmanager
async def open_run(cell: Cell, base_url: str) -> AsyncIterator[SpendRun]:
    yield SpendRun(cell, base_url)

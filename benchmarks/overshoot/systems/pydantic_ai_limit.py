"""pydantic-ai: `UsageLimits(cost_limit=...)`, with one `RunUsage` that all runs share.

Sharing the usage is how its documentation holds several agents to one limit.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic_ai import Agent, RunUsage, UsageLimitExceeded, UsageLimits
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from benchmarks.overshoot.systems.openai_client import open_client
from benchmarks.overshoot.workload import MODEL, AgentStopped, Cell


@cache
def chat_model(base_url: str) -> OpenAIChatModel:
    """The model, as the provider of that name."""
    return OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=open_client(base_url)))


def settings(cell: Cell) -> ModelSettings:
    return ModelSettings() if cell.max_tokens is None else ModelSettings(max_tokens=cell.max_tokens)


class LimitedRun:
    def __init__(self, cell: Cell, agent: Agent[None, str]) -> None:
        self._agent = agent
        self._usage = RunUsage()
        limit = Decimal(cell.cap_usd)
        self._limits = UsageLimits(cost_limit=limit, request_limit=None)

    async def ask(self, prompt: str) -> str:
        given: dict[str, Any] = {"usage": self._usage, "usage_limits": self._limits}
        try:
            result = await self._agent.run(prompt, **given)
        except UsageLimitExceeded:
            raise AgentStopped from None
        return result.response.finish_reason or ""

    def spent_usd(self) -> float:
        return float(self._usage.cost or 0)


@asynccontextmanager
async def open_run(cell: Cell, base_url: str) -> AsyncIterator[LimitedRun]:
    yield LimitedRun(cell, Agent(chat_model(base_url), model_settings=settings(cell)))

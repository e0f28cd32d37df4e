"""shekel: `with budget(max_usd=...)` around the agent, the hard cap of its documentation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from shekel import BudgetExceededError, budget

from benchmarks.overshoot.systems.openai_client import open_client, request_arguments
from benchmarks.overshoot.workload import AgentStopped, Cell


class BudgetRun:
    def __init__(self, cell: Cell, opened_budget: Any, base_url: str) -> None:
        self._cell = cell
        self._budget = opened_budget
        self._client = open_client(base_url)

    async def ask(self, prompt: str) -> str:
        try:
            answer = await self._client.chat.completions.create(
                **request_arguments(self._cell, prompt)
            )
        except BudgetExceededError:
            raise AgentStopped from None
        return answer.choices[0].finish_reason

    def spent_usd(self) -> float:
        return self._budget.spent


@asynccontextmanager
async def open_run(cell: Cell, base_url: str) -> AsyncIterator[BudgetRun]:
    async with budget(max_usd=float(cell.cap_usd)) as opened_budget:
        yield BudgetRun(cell, opened_budget, base_url)

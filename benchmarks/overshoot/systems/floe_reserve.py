"""floe-guard: `reserve` before a call and `settle` after it, its path for parallel callers.

Where the agent sends `max_tokens`, it reserves the price of the longest answer (`estimate_call`);
else the adapter for the client is used, which reserves what the last call cost. A refusal is not
final, since what others hold may come back.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from floe_guard import BudgetExceeded
from floe_guard.integrations.openai import guarded_acompletion

from benchmarks.overshoot.systems.floe_check import make_guard, worst_case_usd
from benchmarks.overshoot.systems.openai_client import open_client, request_arguments
from benchmarks.overshoot.workload import MODEL, AgentStopped, Cell


class ReservedRun:
    def __init__(self, cell: Cell, base_url: str) -> None:
        self._cell = cell
        self._guard = make_guard(cell)
        self._client = open_client(base_url)

    async def ask(self, prompt: str) -> str:
        try:
            answer = await self._call_and_settle(request_arguments(self._cell, prompt))
        except BudgetExceeded:
            raise AgentStopped(final=False) from None
        return answer.choices[0].finish_reason

    async def _call_and_settle(self, asked: dict[str, Any]) -> Any:
        worst_case = worst_case_usd(self._guard, self._cell)
        if worst_case is None:
            return await guarded_acompletion(self._guard, self._client, **asked)
        held = self._guard.reserve(worst_case)
        try:
            answer = await self._client.chat.completions.create(**asked)
        except BaseException:
            self._guard.release(held)
            raise
        used = answer.usage
        self._guard.settle(MODEL, used.prompt_tokens, used.completion_tokens, reserved=held)
        return answer

    def spent_usd(self) -> float:
        return self._guard.spent_usd


@asynccontextmanager
async def open_run(cell: Cell, base_url: str) -> AsyncIterator[ReservedRun]:
    yield ReservedRun(cell, base_url)

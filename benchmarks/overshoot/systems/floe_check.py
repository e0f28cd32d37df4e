"""floe-guard: `check` before a call and `record` after it, as its README begins.

Where the agent sends `max_tokens`, the check is given the price of the longest answer
(`estimate_call`), as the documentation advises; else it predicts from the last call.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from floe_guard import BudgetExceeded, BudgetGuard

from benchmarks.overshoot.systems.openai_client import open_client, request_arguments
from benchmarks.overshoot.workload import MODEL, PROMPT_TOKENS, AgentStopped, Cell


def make_guard(cell: Cell) -> BudgetGuard:
    """A guard that does not print each refusal."""
    return BudgetGuard(float(cell.cap_usd), on_block=lambda *_: None)


def worst_case_usd(guard: BudgetGuard, cell: Cell) -> float | None:
    """What the guard can know of a call before it is made."""
    if cell.max_tokens is None:
        return None
    return guard.estimate_call(MODEL, PROMPT_TOKENS, cell.max_tokens)


class CheckedRun:
    def __init__(self, cell: Cell, base_url: str) -> None:
        self._cell = cell
        self._guard = make_guard(cell)
        self._client = open_client(base_url)

    async def ask(self, prompt: str) -> str:
        try:
            self._guard.check(worst_case_usd(self._guard, self._cell))
        except BudgetExceeded:
            raise AgentStopped from None
        answer = await self._client.chat.completions.create(**request_arguments(self._cell, prompt))
        self._guard.record(MODEL, answer.usage.prompt_tokens, answer.usage.completion_tokens)
        return answer.choices[0].finish_reason

    def spent_usd(self) -> float:
        return self._guard.spent_usd


@asynccontextmanager
async def open_run(cell: Cell, base_url: str) -> AsyncIterator[CheckedRun]:
    yield CheckedRun(cell, base_url)

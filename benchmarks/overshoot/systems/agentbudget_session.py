"""agentbudget: a client of its own for the session, asked first where the worst case is known.

Its documentation calls `wrap_client` and a session "the most predictable option" for servers, and
`would_exceed` the check before a call. The loop detector, which would stop any agent at its tenth
call, is switched off: it is the budget that is measured.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import agentbudget
from agentbudget.pricing import calculate_llm_cost

from benchmarks.overshoot.systems.openai_client import open_client, request_arguments
from benchmarks.overshoot.workload import MODEL, PROMPT_TOKENS, AgentStopped, Cell


class SessionRun:
    def __init__(self, cell: Cell, session: Any, base_url: str) -> None:
        self._cell = cell
        self._session = session
        self._client = agentbudget.wrap_client(open_client(base_url).copy(), session)

    async def ask(self, prompt: str) -> str:
        longest = self._cell.max_tokens
        if longest is not None:
            worst_case = calculate_llm_cost(MODEL, PROMPT_TOKENS, longest)
            if self._session.would_exceed(worst_case):
                raise AgentStopped
        try:
            answer = await self._client.chat.completions.create(
                **request_arguments(self._cell, prompt)
            )
        except agentbudget.BudgetExhausted:
            raise AgentStopped from None
        return answer.choices[0].finish_reason

    def spent_usd(self) -> float:
        return self._session.spent


@asynccontextmanager
async def open_run(cell: Cell, base_url: str) -> AsyncIterator[SessionRun]:
    budget = agentbudget.AgentBudget(max_spend=f"${cell.cap_usd}", max_repeated_calls=1_000_000)
    async with budget.async_session() as session:
        yield SessionRun(cell, session, base_url)

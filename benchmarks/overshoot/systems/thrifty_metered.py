"""thrifty: a metered chat model that is patient: it waits for what the other callers hold.

What the agent sends as `max_tokens` it says to the chat model itself. A refusal is not final:
what others hold may come back.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import cache
from typing import Any

from langchain_openai import ChatOpenAI

from benchmarks.overshoot.workload import MODEL, NANO_PER_USD, AgentStopped, Cell
from thrifty.budget import Budget, BudgetExceeded
from thrifty.ledger.memory import MemoryLedger
from thrifty.models.calls.metered import metered
from thrifty.models.costs import input_bound
from thrifty.models.providers.vendors import is_cut

ACCOUNT = "agents"
PATIENCE_MS = 60_000

# The meter counts as OpenAI does. Here it stands at one of their addresses.
input_bound.OPENAI_HOSTS = (*input_bound.OPENAI_HOSTS, ".127.0.0.1")


@cache
def chat_model(base_url: str, max_tokens: int | None) -> ChatOpenAI:
    """The agent's own model, built once."""
    given: dict[str, Any] = {} if max_tokens is None else {"max_tokens": max_tokens}
    return ChatOpenAI(model=MODEL, base_url=base_url, api_key="none", **given)


class MeteredRun:
    def __init__(self, cell: Cell, model: Any, patience_ms: int, **terms: Any) -> None:
        self._ledger = MemoryLedger()
        self._ledger.open(ACCOUNT, Budget(max_cost_usd=Decimal(cell.cap_usd)))
        self._model = metered(
            model,
            self._ledger,
            ACCOUNT,
            useful_tokens=cell.useful_tokens,
            patience_ms=patience_ms,
            **terms,
        )

    async def ask(self, prompt: str) -> str:
        try:
            answer = await self._model.ainvoke(prompt)
        except BudgetExceeded:
            raise AgentStopped(final=False) from None
        return "length" if is_cut(answer) else "stop"

    def spent_usd(self) -> float:
        return self._ledger.balance(ACCOUNT).spent.cost_nano_usd / NANO_PER_USD


@asynccontextmanager
async def open_run(cell: Cell, base_url: str) -> AsyncIterator[MeteredRun]:
    yield MeteredRun(cell, chat_model(base_url, cell.max_tokens), PATIENCE_MS)

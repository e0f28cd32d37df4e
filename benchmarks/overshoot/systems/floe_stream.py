"""floe-guard: a `StreamGuard` that prices a stream piece by piece, and leaves it at the ceiling.

Reservations as in `floe_reserve`; tokens are counted with a real tokenizer, which its
documentation prefers to its own rule of thumb.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from floe_guard import BudgetExceeded
from floe_guard.stream import StreamGuard
from rs_bpe.bpe import openai as vocabularies

from benchmarks.overshoot.systems.floe_check import make_guard, worst_case_usd
from benchmarks.overshoot.systems.openai_client import open_client, request_arguments
from benchmarks.overshoot.workload import MODEL, PROMPT_TOKENS, AgentStopped, Cell

COUNT = vocabularies.o200k_base().count


class StreamedRun:
    def __init__(self, cell: Cell, base_url: str) -> None:
        self._cell = cell
        self._guard = make_guard(cell)
        self._client = open_client(base_url)

    async def ask(self, prompt: str) -> str:
        try:
            held = self._guard.reserve(worst_case_usd(self._guard, self._cell))
        except BudgetExceeded:
            raise AgentStopped(final=False) from None
        asked = request_arguments(self._cell, prompt)
        stream = await self._client.chat.completions.create(
            stream=True, stream_options={"include_usage": True}, **asked
        )
        guarded = StreamGuard(
            self._guard, MODEL, prompt_tokens=PROMPT_TOKENS, reserved=held, count_tokens=COUNT
        )
        finish_reason = "left"
        with guarded:
            async with stream:
                try:
                    async for piece in stream:
                        for choice in piece.choices:
                            guarded.feed_text(choice.delta.content or "")
                            finish_reason = choice.finish_reason or finish_reason
                        if piece.usage is not None:
                            guarded.finish(completion_tokens=piece.usage.completion_tokens)
                except BudgetExceeded:
                    return "left"
        return finish_reason

    def spent_usd(self) -> float:
        return self._guard.spent_usd


@asynccontextmanager
async def open_run(cell: Cell, base_url: str) -> AsyncIterator[StreamedRun]:
    yield StreamedRun(cell, base_url)

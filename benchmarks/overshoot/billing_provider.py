"""The provider on loopback: a real HTTP server that knows what each call truly costs."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from benchmarks.overshoot.vendors import vendor_case
from benchmarks.overshoot.workload import (
    MESSAGE_TOKENS,
    OUTPUT_TOKENS_MAX,
    PROMPT_TOKENS,
    answer_tokens,
    cost_nano_usd,
)
from tests.harness.llm_server import Behaviour, Bill, LLMServer, Request
from tests.harness.llm_server.http import LAST_CHUNK
from tests.harness.llm_server.prose import exactly
from tests.harness.llm_server.reply import Part, Reply
from tests.harness.llm_server.stage import Stage
from tests.harness.llm_server.tokens import chunks

SECONDS_PER_TOKEN = 100e-6
"""A hundred times faster than in life, and still longer than what the clients compute."""
CHUNK_TOKENS = 10
STREAMED_TOKENS_PER_S = 8_000
"""Of all callers together: ten times faster than in life, since leaving a stream takes time too."""


@dataclass(frozen=True, slots=True)
class Charge:
    """One call on the provider's bill."""

    nano_usd: int
    cap: int | None
    """The output cap that came with it."""
    written_tokens: int
    was_cut: bool
    """The answer would have been longer."""
    began_s: float
    ended_s: float


@dataclass(frozen=True, kw_only=True)
class AnsweringBehaviour(Behaviour):
    """Answers at the length drawn for the run's call, up to the cap that was sent."""

    run: str = ""
    first: int = 0
    """The number of the run's first request."""
    callers: int = 1

    def wanted_tokens(self, request: Request) -> int:
        return answer_tokens(self.run, request.number - self.first)

    def reply(self, request: Request) -> Reply:
        """The bill is true; without a stream, a word stands for a text of that length."""
        wanted, cap = self.wanted_tokens(request), request.output_cap
        written = wanted if cap is None else min(wanted, cap)
        bill = Bill(request.input_tokens, written)
        text = chunks(exactly(written), CHUNK_TOKENS) if request.stream else ("An answer.",)
        part = Part(tuple(text), whole=written == wanted)
        finish: Literal["stop", "length"] = "stop" if part.whole else "length"
        return Reply(request.number, request, (part,), finish, bill, bill, request.model)

    async def perform(self, stage: Stage, reply: Reply) -> None:
        if stage.request.stream:
            await self._perform_stream(stage, reply)
        else:
            if self.callers > 1:  # else nobody does anything meanwhile
                await asyncio.sleep(reply.bill.output_tokens * SECONDS_PER_TOKEN)
            await self.send(stage, reply)

    async def _perform_stream(self, stage: Stage, reply: Reply) -> None:
        """Who leaves a stream has to pay for what was written until then, and for no more."""
        *events, last = stage.dialect.events(reply)
        await stage.wire.write(stage.stream_head())
        written = 0
        for number, event in enumerate(events):
            if event.is_piece:
                await asyncio.sleep(CHUNK_TOKENS * self.callers / STREAMED_TOKENS_PER_S)
                written = min(written + CHUNK_TOKENS, reply.bill.output_tokens)
            stage.bill(Bill(reply.bill.input_tokens, written))
            await stage.wire.write(stage.chunk(event, number))
        stage.finish(completed=True)
        await stage.wire.write(stage.chunk(last, len(events)) + LAST_CHUNK)


class BillingProvider:
    """The provider, run by run."""

    def __init__(self) -> None:
        self._server = LLMServer()
        self._next = 1
        self._behaviour = AnsweringBehaviour()
        self._vendor = ""

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()

    @property
    def base_url(self) -> str:
        return self._server.base_url

    @property
    def root_url(self) -> str:
        return self._server.root_url

    def start_run(self, run: str, callers: int, vendor: str = "") -> None:
        """Forgets the last run's bill."""
        self._server.clear()
        self._vendor = vendor
        self._behaviour = AnsweringBehaviour(run=run, first=self._next, callers=callers, times=None)
        self._server.default = self._behaviour

    def bill(self) -> list[Charge]:
        """What the run's calls cost, in the order in which they came.

        Raises:
            AssertionError: a request was not what this benchmark is about.
        """
        requests = self._server.requests
        if requests:  # a client that left a stream may have been noticed only by now
            requests = self._server.wait_for(len(requests), ended=True)
        self._next += len(requests)
        return [self._to_charge(request) for request in requests]

    def _to_charge(self, request: Request) -> Charge:
        cap, bill = request.output_cap, request.bill
        assert request.status == 200, f"the server answered {request.status}: {request}"
        if self._vendor:
            cost = vendor_case(self._vendor).prices.cost(bill)
        else:
            assert bill.input_tokens == PROMPT_TOKENS, f"a prompt of {bill.input_tokens} tokens"
            assert cap is None or cap <= OUTPUT_TOKENS_MAX, f"the real API refuses a cap of {cap}"
            cost = round(cost_nano_usd(bill.input_tokens, bill.output_tokens))
        was_cut = bill.output_tokens < self._behaviour.wanted_tokens(request)
        assert request.ended_at_s is not None, "the run is over"
        times = request.received_at_s, request.ended_at_s
        return Charge(cost, cap, bill.output_tokens, was_cut, *times)


def long_prompt() -> str:
    """A prompt for which the provider charges exactly PROMPT_TOKENS."""
    return exactly(PROMPT_TOKENS - MESSAGE_TOKENS)

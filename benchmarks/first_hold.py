"""What callers on one account wait for: holds of the whole cap beside first holds that are learned.

    python -m benchmarks.first_hold                  the tables of benchmarks/README.md
    python -m benchmarks.first_hold --seeds 2        with fewer worlds in a cell

Callers ask one question after another, all on one account whose tokens are limited. Each call is a
real `MeteredCall` on a real ledger in memory, with patience. Only the provider and the clock are
simulated: an answer takes its length at a fixed speed, and nobody waits for real. Lengths are
log-normal and the same for both ways of holding. They are learned from earlier calls on another
account.
"""

import argparse
import asyncio
import random
import selectors
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, product
from types import SimpleNamespace
from typing import Any

from langchain_core.messages import AIMessage

from thrifty import Budget, BudgetExceeded, MemoryLedger
from thrifty.models.calls.allowance import Allowance
from thrifty.models.calls.first_hold import HOLD_QUANTILE
from thrifty.models.calls.metered_call import MeteredCall
from thrifty.models.calls.reservation import CallAccounts
from thrifty.models.costs.hosted_uses import NO_USES
from thrifty.models.costs.output_lengths import output_lengths
from thrifty.models.costs.prices import PriceList
from thrifty.models.providers.vendor_request import CallBounds

ACCOUNT = "team"
EARLIER = 50
"""Calls from which lengths are learned."""
QUESTIONS = 5
"""That each caller asks."""
INPUT_TOKENS = 200
MEDIAN_TOKENS = 300
TOKENS_PER_S = 50
FOR_EVER_MS = 10**9
CAPS = {8: 4_000, 32: 16_000}
"""By how many callers there are, the longest answer that the model writes: with more callers the
account has more, and would else have room for all."""
SPREADS = (0.5, 1.1)
"""Standard deviations of the logarithm of a length."""
ROOMS = (1.0, 1.1, 1.3)
"""The account's limit, as a share of what all answers come to."""
QUANTILES = (1.0, 0.9, HOLD_QUANTILE)
"""The baseline, which holds the whole cap, then first holds, the default last."""
SEEDS = {8: 10, 32: 2}
"""How many worlds there are in a cell: with many callers one takes a minute."""


@dataclass(frozen=True)
class World:
    """One account, its callers and the lengths of their answers."""

    lengths: tuple[tuple[int, ...], ...]
    """Of each caller's answers, in tokens."""
    earlier: tuple[int, ...]
    limit: int
    cap: int

    @classmethod
    def drawn(cls, seed: int, callers: int, spread: float, room: float) -> "World":
        """A world of a seed."""
        dice, cap = random.Random(seed), CAPS[callers]

        def draw(count: int) -> tuple[int, ...]:
            drawn = (MEDIAN_TOKENS * dice.lognormvariate(0, spread) for _ in range(count))
            return tuple(min(cap, max(1, round(each))) for each in drawn)

        lengths = tuple(draw(QUESTIONS) for _ in range(callers))
        needed = sum(map(sum, lengths)) + INPUT_TOKENS * callers * QUESTIONS
        return cls(lengths, draw(EARLIER), round(room * needed), cap)


@dataclass(frozen=True)
class Asked:
    """What came of one question."""

    waited_s: float
    """How much later its answer was there than without other callers."""
    is_whole: bool
    is_refused: bool
    is_twice: bool


@dataclass(frozen=True)
class Result:
    """What came of all of them."""

    asked: tuple[Asked, ...]
    spent: int
    limit: int

    @property
    def waited_s(self) -> float:
        """The mean of those that were answered."""
        waited = [each.waited_s for each in self.asked if not each.is_refused]
        return round(statistics.fmean(waited), 6)


class JumpingSelector(selectors.SelectSelector):
    """Waits for nothing: the clock jumps to when the next timer is due."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "all wait for something that never comes"
        self.now_s += max(0.0, timeout)
        return super().select(0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop on a clock of its own, which does for calls what the background loop does."""

    def __init__(self) -> None:
        self.clock = JumpingSelector()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.now_s

    async def in_thread(self, _ledgers: object, act: Callable[..., Any], *given: Any) -> Any:
        return act(*given)

    async def await_call(self, call: Any, _due_ns: object, _abandoned: object) -> Any:
        return await call


class Request(SimpleNamespace):
    """One question to a provider that writes at a fixed speed."""

    operation, provider, listed_as, tier = "chat", "openai", "openai", ""
    address, model, uses = "http://127.0.0.1/v1", "gpt-4o", NO_USES
    input_tokens, audio_tokens, cap_min, cap_wanted = INPUT_TOKENS, 0, 1, None
    is_watched, keeps_answer = False, True
    length: int
    digest: str

    def check_bounded(self, _budget: Budget) -> None:
        """It is bounded."""

    async def send(self, cap: int, emit: object = None) -> Any:
        """The answer, cut at its cap."""
        written = min(cap, self.length)
        await asyncio.sleep(written / TOKENS_PER_S)
        usage = {
            "input_tokens": INPUT_TOKENS,
            "output_tokens": written,
            "total_tokens": INPUT_TOKENS + written,
        }
        end = "length" if written < self.length else "stop"
        told = {"finish_reason": end, "model_name": self.model}
        message = AIMessage("…", usage_metadata=usage, response_metadata=told)
        return SimpleNamespace(message=message)


def run_world(world: World, quantile: float, patience_ms: int) -> Result:
    """All callers of a world, who hold what they may."""
    output_lengths.clear()
    ledger, loop = MemoryLedger(), SimulatedLoop()
    ledger.open("earlier", Budget(max_tokens=10**9))
    ledger.open(ACCOUNT, Budget(max_tokens=world.limit))

    async def ask(account: str, name: str, length: int) -> Asked:
        request: Any = Request(length=length, digest=name)
        allowance = Allowance(
            *(ledger, account, name, "question", None, lambda _: None),
            patience_ms=patience_ms,
            hold_quantile=quantile,
        )
        prices = PriceList({})
        accounts = CallAccounts(request, CallBounds(world.cap), prices, allowance, None)
        call, asked_s = MeteredCall(accounts, loop=loop), loop.time()  # type: ignore[arg-type]
        try:
            answer = await call.ask(asyncio.Event())
        except BudgetExceeded:
            return Asked(loop.time() - asked_s, False, True, False)
        written = answer.message.usage_metadata["output_tokens"]
        waited_s = loop.time() - asked_s - written / TOKENS_PER_S
        is_twice = ledger.entry(account, f"{name}.2") is not None
        return Asked(waited_s, written == length, False, is_twice)

    async def be_caller(caller: int, lengths: Iterable[int]) -> list[Asked]:
        names = (f"{caller}/{number}" for number in range(QUESTIONS))
        return [await ask(ACCOUNT, *each) for each in zip(names, lengths, strict=True)]

    async def be_all() -> list[list[Asked]]:
        for number, length in enumerate(world.earlier):
            await ask("earlier", f"earlier/{number}", length)
        return await asyncio.gather(*map(be_caller, count(), world.lengths))

    try:
        asked = loop.run_until_complete(be_all())
    finally:
        loop.close()
    spent = ledger.balance(ACCOUNT).spent.tokens
    assert spent <= world.limit, "the account is over its limit"
    return Result(tuple(each for every in asked for each in every), spent, world.limit)


def row(results: Sequence[Result]) -> list[float]:
    """What is told of one way of holding: means over the worlds, and shares of all questions."""
    every = [each for result in results for each in result.asked]
    return [
        statistics.fmean(result.waited_s for result in results),
        100 * statistics.fmean(each.is_whole for each in every),
        100 * statistics.fmean(each.is_refused for each in every),
        100 * statistics.fmean(each.is_twice for each in every),
        100 * statistics.fmean(result.spent / result.limit for result in results),
    ]


def table(callers: int, patience_ms: int, seeds: Iterable[int]) -> Iterator[str]:
    """The lines of a table: in each cell one figure for each quantile."""
    told = "waited s", "saved %", "whole %", "refused %", "asked twice %", "spent %"
    yield f"| spread, room | {' | '.join(told)} |"
    yield "|---|" + "---:|" * len(told)
    for spread, room in product(SPREADS, ROOMS):
        worlds = [World.drawn(seed, callers, spread, room) for seed in seeds]
        rows = [row([run_world(w, q, patience_ms) for w in worlds]) for q in QUANTILES]
        columns = [[f"{each:,.1f}" for each in column] for column in zip(*rows, strict=True)]
        baseline_s = rows[0][0]
        saved = [f"{100 * (1 - each[0] / baseline_s):.0f}" if baseline_s else "-" for each in rows]
        columns.insert(1, saved)
        yield f"| {spread}, {room} | {' | '.join(map(', '.join, columns))} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_hold", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seeds", type=int)
    given = parser.parse_args().seeds
    for callers, patience_ms in product(CAPS, (FOR_EVER_MS, 0)):
        print(f"\n{callers} callers, {'with' if patience_ms else 'without'} patience\n")
        for line in table(callers, patience_ms, range(given or SEEDS[callers])):
            print(line, flush=True)


if __name__ == "__main__":
    main()

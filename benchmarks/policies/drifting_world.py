"""Worlds to spend in: a catalog, and what its options really cost, run after run.

In a world one of the two models drifts: all its bills are larger, or all smaller, than the
catalog says. Beside that every bill is log-normal around its estimate. Each policy meets the
same bills.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from math import exp, log1p, sqrt
from random import Random

from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.models.costs.token_price import TokenPrice
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem

STEPS = 8
STRONG, CHEAP = "strong", "cheap"
PRICES = {
    STRONG: TokenPrice(Decimal(10), Decimal(10)),
    CHEAP: TokenPrice(Decimal(1), Decimal(1)),
}
"""Dollars for a million tokens; that of input and output alike, so that a count has one price."""
DRIFTS = (0.6, 1.5, 2.0)
"""What the bills of the drifting model come to, on average, as a share of their estimates."""


@dataclass(frozen=True)
class WorldRun:
    """One task in a world."""

    world: int
    number: int
    steps: tuple[Step, ...]
    budget: Budget
    actual: dict[str, Spend]
    """By the name of the option, what it would really use."""

    @property
    def problem(self) -> Problem:
        """What is planned before anything is spent."""
        return Problem(self.steps, self.budget, max_steps=STEPS)

    @property
    def hindsight(self) -> float:
        """The most value for somebody who knew every bill beforehand."""
        steps = tuple(
            replace(s, options=tuple(replace(o, estimate=self.actual[o.name]) for o in s.options))
            for s in self.steps
        )
        return make_plan(replace(self.problem, steps=steps, risk=0.5)).value


def make_runs(world: int, noise: float, count: int) -> list[WorldRun]:
    """The runs of one world, in the order in which they are done.

    Args:
        world: the seed.
        noise: the deviation of a bill from what it is on average, as a share of that.
        count: how many.
    """
    random = Random(f"{world}")
    steps = tuple(_make_step(random, i) for i in range(STEPS))
    drift = {random.choice((STRONG, CHEAP)): random.choice(DRIFTS)}
    return [_make_run(random, world, number, steps, drift, noise) for number in range(count)]


def _make_run(
    random: Random,
    world: int,
    number: int,
    steps: tuple[Step, ...],
    drift: dict[str, float],
    noise: float,
) -> WorldRun:
    sigma = sqrt(log1p(noise * noise))
    actual = {}
    for option in (option for step in steps for option in step.options):
        ratio = exp(sigma * random.gauss() - sigma * sigma / 2)
        actual[option.name] = _scale_estimate(
            option, ratio * drift.get(option.payload.get("model", ""), 1)
        )
    whole = sum(step.options[0].estimate.tokens for step in steps)
    share = random.uniform(0.2, 0.6)
    budget = Budget(round(whole * share), Decimal(round(whole * share * 0.8)) / 100_000)
    return WorldRun(world, number, steps, budget, actual)


def _make_step(random: Random, i: int) -> Step:
    name = f"step {i}"
    tokens, value = random.randint(300, 900), random.uniform(6, 10)
    return Step(
        name,
        (
            _make_option(name, STRONG, tokens, value),
            _make_option(name, CHEAP, round(tokens * 0.7), value * random.uniform(0.6, 0.8)),
            StepOption(f"{name}, local", name, "local", "do it", Spend(0, 0, 20), value * 0.4),
        ),
        requires=(f"step {random.randrange(i)}",) if i and random.random() < 0.3 else (),
    )


def _make_option(step: str, model: str, tokens: int, value: float) -> StepOption:
    spend = Spend(tokens, cost_nano_usd(model, tokens), 500, 1)
    payload = {"model": model}
    return StepOption(f"{step}, {model}", step, "llm", "do it", spend, value, payload=payload)


def _scale_estimate(option: StepOption, ratio: float) -> Spend:
    if option.executor != "llm":
        return Spend()
    tokens = max(1, round(option.estimate.tokens * ratio))
    return Spend(tokens, cost_nano_usd(option.payload["model"], tokens), 500, 1)


def cost_nano_usd(model: str, tokens: int) -> int:
    """The price of so many tokens, in nano-USD."""
    return round(PRICES[model].input_usd * 1_000 * tokens)

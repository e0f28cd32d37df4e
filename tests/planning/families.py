"""Seeded families of larger problems, shared by tests and benchmarks."""

from decimal import Decimal
from random import Random

from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.planning.problem import Problem


def tutorial_like(
    random: Random,
    steps: int,
    *,
    max_steps: int | None = 6,
    limitless: bool = False,
    arcs: int | None = None,
    correlated: bool = False,
    risk: float = 0.2,
) -> Problem:
    """Steps with a model's way and a local way each, some of which require or repeat others.

    Args:
        random: the source of all numbers.
        steps: how many; each has two options.
        max_steps: None limits tokens, cost and latency to a quarter of everything instead.
        limitless: whether a plan may have all steps, on the budget for six.
        arcs: how many earlier steps each step requires; None lets three in ten require one.
        correlated: whether value goes with tokens, which makes knapsacks hard.
        risk: as of a problem.
    """
    made = tuple(_step(random, i, steps, arcs, correlated) for i in range(steps))
    if max_steps is None:
        whole = [sum(s.options[0].estimate.amounts[place] for s in made) for place in range(3)]
        tokens, nano, ms = (amount // 4 for amount in whole)
        left = Budget(tokens, Decimal(nano) / 10**9, ms)
    else:
        left = Budget(random.randint(1_500, 3_000), random.randint(2, 5) / 1_000, 8_000, 5)
    return Problem(made, left, max_steps=steps if limitless else max_steps or steps, risk=risk)


def _step(random: Random, i: int, steps: int, arcs: int | None, correlated: bool) -> Step:
    name = f"step {i}"
    tokens = random.randint(150, 900)
    value = tokens / 300 + random.uniform(0, 0.2) if correlated else random.uniform(0.5, 3.0)
    spend = Spend(tokens, tokens * random.randint(100, 3_000), random.randint(300, 2_500), 1)
    local = Spend(0, 0, random.randint(5, 60), 0)
    count = (random.random() < 0.3) if arcs is None else arcs
    return Step(
        name,
        (
            StepOption(f"{name} (LLM)", name, "llm", "do it", spend, round(value, 2)),
            StepOption(
                f"{name} (local)",
                name,
                "local",
                "do it",
                local,
                round(value * random.uniform(0.3, 0.7), 2),
            ),
        ),
        requires=tuple(f"step {j}" for j in random.sample(range(i), min(i, int(count)))),
        topic=f"topic {random.randrange(steps)}",
    )


def many_ways(
    random: Random,
    steps: int,
    ways: int,
    *,
    is_concave: bool,
    share: float,
    noise: float = 0.2,
    required: bool = False,
    risk: float = 0.5,
) -> Problem:
    """Steps with several ways each, dearer and better from one to the next; four limits.

    Args:
        random: the source of all numbers.
        steps: how many.
        ways: how many options each step has.
        is_concave: whether more spend brings less and less more value, or more and more.
        share: the limits, as a share of what the dearest way of every step takes.
        noise: by how much amounts differ at most from what the size of a way says, and values by
            half of it. The less, the harder: then only trifles tell one way from another.
        required: whether every step must be done.
        risk: as of a problem.
    """
    bend = 0.5 if is_concave else 1.8
    made = tuple(_step_in_ways(random, i, ways, bend, noise, required) for i in range(steps))
    whole = [sum(max(o.estimate.amounts[k] for o in s.options) for s in made) for k in range(4)]
    tokens, nano, ms, calls = (int(amount * share) for amount in whole)
    left = Budget(tokens, Decimal(nano) / 10**9, ms, calls)
    return Problem(made, left, max_steps=steps, risk=risk)


def _step_in_ways(
    random: Random, i: int, ways: int, bend: float, noise: float, required: bool
) -> Step:
    name, value = f"step {i:03}", random.uniform(20.0, 100.0)
    tokens, price = random.randint(300, 1_500), random.randint(500, 4_000)
    pace = random.uniform(1.0, 4.0)
    options = []
    for way in range(1, ways + 1):
        size = way / ways
        used = [tokens * size * random.uniform(1.0 - noise, 1.0 + noise) for _ in range(3)]
        spend = Spend(round(used[0]), round(used[1]) * price, round(used[2] * pace), way)
        worth = value * size**bend * random.uniform(1.0 - noise / 2, 1.0 + noise / 2)
        named = f"{name} way {way}"
        options.append(StepOption(named, name, "llm", "do it", spend, round(worth, 2)))
    return Step(name, tuple(options), required=required)

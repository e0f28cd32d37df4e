"""Random problems, small enough for brute force, with every feature on."""

from dataclasses import replace
from decimal import Decimal
from random import Random

from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.planning.problem import Problem

VALUES = (0.0, 0.5, 1.0, 1.0, 2.0)
"""Few values, so that many plans tie."""


def small_problem(random: Random, *, steps_max: int = 5, scale: int = 1) -> Problem:
    """A problem of one to a few steps; all amounts are multiples of `scale`."""
    steps = [_step(random, i, scale) for i in range(random.randint(1, steps_max))]
    random.shuffle(steps)
    return Problem(
        steps=tuple(steps),
        left=budget(*(_limit(random, most, scale) for most in (60, 60, 60, 6))),
        max_steps=random.randint(0, len(steps) + 1),
        diversity_penalty=random.choice((0.0, 0.2, 0.5, random.random())),
        done=tuple(step for step in steps if random.random() < 0.1),
        spent=Spend(0, random.randint(0, 5) * scale),
        kept_back=Spend(random.randint(0, 5) * scale),
        concurrency=random.choice((1, 1, 2, 3)),
        schedule=random.choice(("flow", "waves")),
        risk=random.choice((0.5, 0.2, 0.05)),
    )


def role_problem(random: Random, *, steps_max: int = 5, scale: int = 1) -> Problem:
    """A small problem with answers, sections and material, of which steps read what is before."""
    problem = small_problem(random, steps_max=steps_max, scale=scale)
    cast = {step.name: _cast(random, step) for step in sorted(problem.steps, key=lambda s: s.name)}
    done = {step.name for step in problem.done}
    may_go = [name for name in sorted(cast)[1:] if name not in done]
    lost = {name for name in may_go if random.random() < 0.08}
    return replace(
        problem,
        steps=tuple(cast[step.name] for step in problem.steps if step.name not in lost),
        lost=tuple(step for name, step in cast.items() if name in lost),
        done=tuple(cast[step.name] for step in problem.done),
        left=budget(*(_limit(random, most, scale) for most in (90, 90, 90, 9))),
        max_steps=random.choice((problem.max_steps, 9)),
        diversity_penalty=random.choice((0.0, 0.2)),
    )


def _cast(random: Random, step: Step) -> Step:
    """A step in a role, read and reading what has a lower number."""
    before = [f"s{k}" for k in range(int(step.name[1:]))]
    return replace(
        step,
        role=random.choice(("answer", "section", "section", "material", "material", "revision")),
        requires=tuple(name for name in before if random.random() < 0.12),
        reads=tuple(name for name in before if random.random() < 0.5) or None,
        topic="" if random.random() < 0.7 else "a",
        required=random.random() < 0.15,
    )


def budget(tokens: int | None, nano: int | None, ms: int | None, calls: int | None) -> Budget:
    return Budget(tokens, None if nano is None else Decimal(nano) / 10**9, ms, calls)


def _limit(random: Random, most: int, scale: int) -> int | None:
    return None if random.random() < 0.2 else random.randint(0, most) * scale


def _step(random: Random, i: int, scale: int) -> Step:
    return Step(
        f"s{i}",
        tuple(_option(random, i, j, scale) for j in range(random.randint(1, 3))),
        requires=tuple(f"s{k}" for k in range(i) if random.random() < 0.25),
        topic=random.choice(("", "a", "b")),
        role="revision" if random.random() < 0.1 else "section",
        required=random.random() < 0.1,
    )


def _option(random: Random, i: int, j: int, scale: int) -> StepOption:
    most = (20, 20, 20, 2)
    amounts = [random.choice((0, random.randint(0, m))) * scale for m in most]
    return StepOption(
        f"o{i}.{j}",
        f"s{i}",
        "llm",
        "do it",
        Spend(*amounts),
        random.choice((*VALUES, round(random.random() * 3, 2))),
        spread=random.choice((0.0, 0.25, random.random())),
    )

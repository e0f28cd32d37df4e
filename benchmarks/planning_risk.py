"""Which risk to accept by default: plans made at several, run against random actual spends.

    python -m benchmarks.planning_risk

A run takes the plan's steps in order, checks the next step's estimate against what is left,
settles the actual spend, and replans with what is left. Calls are capped at what is left, so
that no run is ever over; a step that is cut brings nothing. "Static" runs the first plan to
its end instead, without a cap: how often it outgrows the budget is the coverage.
"""

from collections.abc import Callable
from dataclasses import replace
from math import exp, log, sqrt
from random import Random

from tests.planning.families import tutorial_like
from thrifty.budget import Budget, Spend, Step, StepOption
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem
from thrifty.planning.risk import margin_for_risk

RISKS = (0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.05)
NOISES = {"low": 0.1, "medium": 0.25, "high": 0.5}
RUNS = 150
STEPS = 10


def noisy_problem(seed: int, noise: float) -> Problem:
    """The tutorial's kind of problem, its spreads as noisy as the world is."""
    random = Random(seed)
    problem = tutorial_like(random, STEPS, max_steps=6)
    left = replace(problem.left, max_tool_calls=None, max_latency_ms=None)

    def noisy(step: Step) -> Step:
        return replace(step, options=tuple(replace(o, spread=noise) for o in step.options))

    return replace(problem, steps=tuple(map(noisy, problem.steps)), left=left)


def actual_spends(seed: int, problem: Problem, *, noise: float) -> Callable[[StepOption], Spend]:
    """What each option would really use: log-normal, one factor for all its resources."""
    random = Random(seed + 1_000_003)
    sigma = sqrt(log(1 + noise * noise))
    factors = {
        option.name: exp(random.gauss(-sigma * sigma / 2, sigma))
        for step in problem.steps
        for option in step.options
    }

    def actual(option: StepOption) -> Spend:
        tokens, cost, latency, calls = option.estimate.amounts
        factor = factors[option.name]
        return Spend(round(tokens * factor), round(cost * factor), latency, calls)

    return actual


def run_with_replans(problem: Problem, actual: Callable[[StepOption], Spend]) -> float:
    """The value that a run with caps and replanning brings."""
    steps = {step.name: step for step in problem.steps}
    topics: list[str] = []
    value, places = 0.0, problem.max_steps
    while places and (chosen := make_plan(replace(problem, max_steps=places)).chosen):
        option = chosen[0]
        step, spend = steps[option.step], actual(option)
        problem = replace(problem, left=problem.left.left_after(spend))
        rest = tuple(s for s in problem.steps if s.name != step.name)
        places -= 1
        if not _is_cut(problem.left, spend):
            value += option.value - problem.diversity_penalty * topics.count(step.topic)
            topics.append(step.topic)
            problem = replace(problem, steps=rest, done=(*problem.done, step))
        else:
            problem = replace(problem, steps=rest)
    return value


def _is_cut(left: Budget, spend: Spend) -> bool:
    """Whether nothing is left of a resource that the step was using."""
    pairs = zip(left.limits, spend.amounts, strict=True)
    return any(limit == 0 and amount > 0 for limit, amount in pairs)


def hindsight_value(problem: Problem, actual: Callable[[StepOption], Spend]) -> float:
    """The best value for somebody who knew every actual spend."""

    def known(step: Step) -> Step:
        return replace(step, options=tuple(replace(o, estimate=actual(o)) for o in step.options))

    return make_plan(replace(problem, steps=tuple(map(known, problem.steps)), risk=0.5)).value


def main() -> None:
    print("| noise | risk | z | static: within budget | with replanning: share of hindsight |")
    print("|---|---|---|---|---|")
    for name, noise in NOISES.items():
        cases = [noisy_problem(seed, noise) for seed in range(RUNS)]
        truths = [actual_spends(seed, case, noise=noise) for seed, case in enumerate(cases)]
        best = sum(hindsight_value(c, t) for c, t in zip(cases, truths, strict=True))
        for risk in RISKS:
            planned = [replace(case, risk=risk) for case in cases]
            kept = sum(
                p.left.covers(sum(map(truth, make_plan(p).chosen), Spend()))
                for p, truth in zip(planned, truths, strict=True)
            )
            got = sum(run_with_replans(p, t) for p, t in zip(planned, truths, strict=True))
            z = margin_for_risk(risk).z_milli / 1000
            shares = f"{kept / RUNS:.0%} | {got / best:.3f}"
            print(f"| {name} | {risk:g} | {z:.2f} | {shares} |", flush=True)


if __name__ == "__main__":
    main()

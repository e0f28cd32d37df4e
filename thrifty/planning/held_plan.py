"""What to plan where nothing fits with its margin, while the ledger holds the budget in any case.

A margin keeps a plan from being begun that might not be finished. Where no plan has one, to refuse
everything would be worth nothing for certain. So the plan is taken with the most

    P(bill <= left) · value + (1 - P) · value of what is there already,

and a run plans anew before each step, with what is left by then. Estimates of value are noisy, so
those of rival plans are drawn together before they are compared, and of two that come to the same
the cheaper is taken. In `benchmarks/replay.md` this is compared with always taking the cheapest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import erf, fsum, log, log1p, sqrt
from statistics import fmean, pstdev

from thrifty.budget import Budget, StepOption
from thrifty.planning.planner import BestPlan
from thrifty.planning.problem import RISK_MAX, Problem
from thrifty.planning.risk import SAMPLES_MIN

SHRINKAGE = 0.3
"""By this share of the difference, values are drawn towards the mean of all candidates."""
STRETCHES = (0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0)
"""So many times what is left is planned with for candidates: one may well come to less than it is
expected to."""
UNCERTAIN = 3
"""The resources before the calls are uncertain. A call is counted."""
TIE = 1e-9

MakePlan = Callable[[Sequence[Problem]], BestPlan]


@dataclass(frozen=True, slots=True)
class _Candidate:
    best: BestPlan
    chance: float
    kept_value: float
    """What is there already, and stays if it does not fit."""


def plan_while_held(problems: Sequence[Problem], make_plan: MakePlan) -> BestPlan:
    """The best plan with its margin or, where that would do nothing, the one with the most chance
    times value.

    Args:
        problems: at least one, as of `make_best_plan`.
        make_plan: makes the best plan that any of several problems has.
    """
    with_margin = make_plan(problems)
    if any(not option.is_kept for option in with_margin.plan.chosen):
        return with_margin
    candidates = list(_candidates(problems, with_margin, make_plan))
    if not candidates:
        return with_margin
    chosen = max(candidates, key=lambda each: _rank(each, candidates))
    plan = replace(chosen.best.plan, chance=chosen.chance)
    return BestPlan(plan, chosen.best.problem)


def fit_chance(options: Sequence[StepOption], problem: Problem) -> float:
    """The chance that a plan stays within every limit: that of the limit that is nearest, as bills
    of one run go together.

    Args:
        options: of the plan.
        problem: with what is left.
    """
    chances = [1.0]
    for place, room in enumerate(problem.available_limits):
        if room is None:
            continue
        amounts = [option.estimate.amounts[place] for option in options]
        if place >= UNCERTAIN:
            chances.append(float(sum(amounts) <= room))
            continue
        spreads = [option.spread for option in options]
        chances.append(_chance_within(room, amounts, spreads, problem.residuals))
    return min(chances)


def _candidates(
    problems: Sequence[Problem], with_margin: BestPlan, make_plan: MakePlan
) -> Iterator[_Candidate]:
    """Plans that would do something, by other risks and budgets than the run's."""
    kept_value = fsum(option.value for option in with_margin.plan.chosen)
    seen = set()
    for stretch in STRETCHES:
        relaxed = [_with_limits_times(problem, stretch) for problem in problems]
        best = make_plan(relaxed)
        of = problems[next(i for i, each in enumerate(relaxed) if each is best.problem)]
        names = frozenset(option.name for option in best.plan.chosen)
        if names in seen or all(option.is_kept for option in best.plan.chosen):
            continue
        seen.add(names)
        if chance := fit_chance(best.plan.chosen, of):
            yield _Candidate(BestPlan(best.plan, of), chance, kept_value)


def _with_limits_times(problem: Problem, stretch: float) -> Problem:
    """A problem with so many times what is left of what is uncertain, and no margin."""
    limits = [
        limit if limit is None or place >= UNCERTAIN else round(limit * stretch)
        for place, limit in enumerate(problem.left.limits)
    ]
    return replace(problem, left=Budget.of_limits(limits), risk=RISK_MAX)


def _score(candidate: _Candidate, candidates: Sequence[_Candidate]) -> float:
    mean = fmean(each.best.plan.value for each in candidates)
    value = candidate.best.plan.value
    shrunk = value + SHRINKAGE * (mean - value)
    score = candidate.chance * shrunk + (1 - candidate.chance) * candidate.kept_value
    return round(score / TIE) * TIE


def _rank(candidate: _Candidate, candidates: Sequence[_Candidate]) -> tuple[float, int, int]:
    """By what the best is taken: its score and, among equals, money and then tokens."""
    tokens, cost_nano_usd, _, _ = candidate.best.plan.expected.amounts
    return _score(candidate, candidates), -cost_nano_usd, -tokens


def _chance_within(
    room: int, amounts: Sequence[int], spreads: Sequence[float], residuals: Sequence[float]
) -> float:
    """The chance that a sum of bills stays within a limit, taken as log-normal, as each bill is."""
    deviations = [amount * spread for amount, spread in zip(amounts, spreads, strict=True)]
    shift, scale = 0.0, 1.0
    if len(residuals) >= SAMPLES_MIN:
        shift, scale = fmean(residuals), pstdev(residuals)
    mean = sum(amounts) + shift * sum(deviations)
    deviation = scale * sqrt(fsum(each * each for each in deviations))
    if not deviation or mean <= 0:
        return float(mean <= room)
    if not room:
        return 0.0
    variance = log1p((deviation / mean) ** 2)
    return 0.5 * (1 + erf((log(room / mean) + variance / 2) / sqrt(2 * variance)))

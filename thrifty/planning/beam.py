"""Beam search: the tutorial's planner done right, kept as the named baseline.

Plans grow by one option at a time and the best few of each size survive. Two things differ
from the tutorial: options of one step exclude each other, and the orders in which one set of
options can be put together are one candidate, not many.

Reference: B. T. Lowerre, "The HARPY speech recognition system", 1976 (beam search).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from thrifty.budget.option import StepOption
from thrifty.budget.plan import Plan
from thrifty.budget.spend import Spend
from thrifty.budget.step import Step, in_running_order
from thrifty.planning.problem import Problem
from thrifty.planning.reasons import left_out

BEAM_WIDTH = 12
MICRO = 1_000_000
"""Values are compared as whole millionths, so that no rounding decides between plans."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    members: tuple[tuple[int, int], ...] = ()
    """Chosen (step index, option index) pairs, ascending: one form for every order."""
    value_micro: int = 0
    spend: Spend = Spend()


def plan_by_beam(problem: Problem, beam_width: int = BEAM_WIDTH) -> Plan:
    """The best plan that the beam meets; fits what is left, but need not be the best there is."""
    best = _Candidate()
    beam = [best]
    for _ in range(min(problem.max_steps, len(problem.steps))):
        grown = {new.members: new for old in beam for new in _grow(problem, old)}
        beam = sorted(grown.values(), key=lambda found: _rank(problem, found))[:beam_width]
        best = min([best, *beam], key=lambda found: _rank(problem, found))
    return _to_plan(problem, best)


def _grow(problem: Problem, old: _Candidate) -> Iterator[_Candidate]:
    """Every candidate with one option more that still fits."""
    taken = [problem.steps[index] for index, _ in old.members]
    present = {step.name for step in chain(problem.done, taken)}
    topics = [step.topic for step in chain(problem.done, taken)]
    for step_index, step in enumerate(problem.steps):
        if step.name in present or not present.issuperset(step.requires):
            continue
        penalty_micro = topics.count(step.topic) * round(problem.diversity_penalty * MICRO)
        for option_index, option in enumerate(step.options):
            spend = old.spend + option.estimate
            if spend.within(problem.left):
                yield _Candidate(
                    tuple(sorted((*old.members, (step_index, option_index)))),
                    old.value_micro + round(option.value * MICRO) - penalty_micro,
                    spend,
                )


def _rank(problem: Problem, found: _Candidate) -> tuple[int, tuple[int, ...], list[str]]:
    """Ascending: most value first, then the lower spend, then by name."""
    names = [option.name for option in _options(problem, found)]
    return -found.value_micro, found.spend.amounts, names


def _options(problem: Problem, found: _Candidate) -> list[StepOption]:
    return [problem.steps[step].options[option] for step, option in found.members]


def _to_plan(problem: Problem, best: _Candidate) -> Plan:
    chosen_by_step = {option.step: option for option in _options(problem, best)}
    steps: list[Step] = [step for step in problem.steps if step.name in chosen_by_step]
    missing = [s.name for s in problem.steps if s.required and s.name not in chosen_by_step]
    if missing:
        note = f"the required step {missing[0]!r} does not fit in what is left"
        return Plan("infeasible", "beam", left_out=left_out(problem, ()), note=note)
    chosen = tuple(chosen_by_step[step.name] for step in in_running_order(steps))
    return Plan(
        status="feasible",
        engine="beam",
        chosen=chosen,
        value=best.value_micro / MICRO,
        bound=_value_bound(problem),
        left_out=left_out(problem, chosen),
    )


def _value_bound(problem: Problem) -> float:
    """The best option of the most valuable steps, as if everything fitted: never too low."""
    best = sorted((max(o.value for o in step.options) for step in problem.steps), reverse=True)
    return sum(round(value * MICRO) for value in best[: problem.max_steps]) / MICRO

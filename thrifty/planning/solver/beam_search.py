"""Beam search: the tutorial's planner done right, kept as the named baseline.

Plans grow by one option at a time and the best few of each size survive. Two things differ
from the tutorial: options of one step exclude each other, and the orders in which one set of
options can be put together are one candidate, not many.

Reference: B. T. Lowerre, "The HARPY speech recognition system", 1976 (beam search).
"""

from collections.abc import Iterator

from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.solve_result import LIMITS_DEFAULT, SolveLimits, SolveResult

BEAM_WIDTH = 12

Candidate = tuple[KnapsackItem, ...]
"""Items in the order of their steps: one form for every order of adding them."""


def solve_by_beam_search(model: KnapsackModel, limits: SolveLimits = LIMITS_DEFAULT) -> SolveResult:
    """The best plan that the beam meets; fits what is left, but need not be the best there is."""
    beam: list[Candidate] = [()]
    plans = list(filter(model.is_plan, beam))
    nodes = 0
    for _ in range(model.max_steps):
        grown = {new for old in beam for new in _extend(model, old)}
        nodes += len(grown)
        beam = sorted(grown, key=model.sort_key)[:BEAM_WIDTH]
        plans += filter(model.is_plan, beam)
        if not beam or limits.is_past_deadline():
            break
    best = min(plans, key=model.sort_key, default=())
    bound = max(model.value_max, model.plan_value(best))
    return SolveResult(best, bound, nodes, is_proven=False, is_plan=bool(plans))


def _extend(model: KnapsackModel, old: Candidate) -> Iterator[Candidate]:
    """Every candidate with one option more that still fits."""
    present = {item.step for item in old}
    for step, options in enumerate(model.items):
        if step in present or not present.issuperset(model.requires[step]):
            continue
        for item in options:
            # Sorted, so that two orders of adding make one candidate.
            chosen = tuple(sorted((*old, item)))
            if min(model.rooms(chosen), default=0) >= 0:
                yield chosen

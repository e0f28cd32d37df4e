"""Reduced cost fixing: decides without a search what a bound decides.

An option whose choice (or a step whose absence) would push the bound below the value of the
known plan is decided; what is left is the core. Source: E. Balas, E. Zemel, "An algorithm for
large zero-one knapsack problems" (1980).
"""

from thrifty.planning.solver.core import Core, CoreItem, CoreStep, close_requirements
from thrifty.planning.solver.relaxation import Relaxation, RelaxedSolution


def reduce_core(relaxation: Relaxation, root: RelaxedSolution, slack: float) -> Core | None:
    """Drops by reduced cost what no better plan can contain: the needed steps first, then the best.

    The slack is how much a plan may lose against the bound and still be of interest.
    """
    taken = set(root.chosen_places)
    ranks = sorted([root.net_step_values[place] for place in relaxation.optional], reverse=True)
    free = relaxation.free_places
    last_in = max(0.0, ranks[free - 1]) if 0 < free <= len(ranks) else 0.0
    first_out = max(0.0, ranks[free]) if 0 <= free < len(ranks) else 0.0
    positions = []
    for place, position in enumerate(relaxation.core):
        best = root.net_step_values[place]
        is_taken = place in taken
        least = (best if is_taken else last_in) - slack
        # A step comes in only by driving another out, as far as all places are taken.
        if best >= least:
            # Without it the best step outside would take its place, at too great a loss.
            needed = position.needed or (is_taken and best - first_out > slack)
            branches = _items_at_least(relaxation, root, place, least)
            paid = best - root.step_values[place]
            positions.append(CoreStep(position.step, branches, needed, paid))
    return close_requirements(relaxation.model, positions)


def _items_at_least(
    relaxation: Relaxation, root: RelaxedSolution, place: int, least: float
) -> tuple[CoreItem, ...]:
    """The items of a step whose reduced value is not below the least, best first."""
    branches, best = relaxation.core[place].items, root.net_step_values[place]
    if len(branches) == 1:
        return (CoreItem(best, *branches[0][1:]),)
    worth = root.item_values[relaxation.slices[place]]
    offset = best - root.step_values[place]
    kept = [
        CoreItem(w + offset, branch.value, branch.packed_amounts, branch.item)
        for w, branch in zip(worth, branches, strict=True)
        if w + offset >= least
    ]
    return tuple(sorted(kept, key=lambda branch: -branch.reduced_value))

"""The default engine: exact as long as that is quick, HiGHS for what is left, if it is there.

The hand-over is decided by counting nodes, not by a clock: the same plan on a slow machine.
"""

from dataclasses import replace

from thrifty.planning.core import Core, restricted, size
from thrifty.planning.exact import WIDEST, Exact, Part, drafted, search_exactly
from thrifty.planning.milp import is_installed, search_by_milp
from thrifty.planning.model import Model
from thrifty.planning.result import STOP_NEVER, Found, Stop

LARGE = 4_000
GAP_LARGE = 0.001
"""From so many items on, a plan within this share of its bound need not be proven best."""
NODES = 150_000
"""So many nodes settle most cores sooner than HiGHS would."""
SMALL = 500
"""From more items on, HiGHS is sooner where all is decided but which steps a plan has."""
CHOICE = 1.1
"""With so many options a step, that is not decided."""
POLISH = (8, 5_000)
"""The effort to settle ties between plans of the value that HiGHS proved: prices and nodes."""


def search_automatically(model: Model, stop: Stop = STOP_NEVER) -> Found:
    """The best plan of a model, by whichever engine proves it sooner."""
    if model.impossible or not model.items:
        return search_exactly(model, (), stop)
    if model.size >= LARGE:
        stop = replace(stop, gap=GAP_LARGE)
    # A list schedule is no linear thing; there HiGHS would forbid one set after another.
    if model.clock or not is_installed():
        return search_exactly(model, (), stop)
    exact = Exact(model, stop)
    parts = exact.narrow()
    if exact.is_over(parts):
        return exact.found(parts)
    if is_worthwhile(exact, parts[0].core):
        exact.stop = replace(stop, nodes_max=exact.best.nodes + NODES)
        if (found := exact.settle(list(parts))).is_proven:
            return found
        exact.stop = stop
        if exact.is_over(parts):
            return exact.found(parts)
    return hand_over(exact, parts[0])


def is_worthwhile(exact: Exact, core: Core) -> bool:
    """Whether the search goes on before HiGHS is asked, which a cone costs one run after another,
    while a plain knapsack, however many steps it has, costs it little."""
    has_choice = size(core) > CHOICE * len(core)
    return exact.rows.is_risky or has_choice or exact.model.size <= SMALL


def hand_over(exact: Exact, part: Part) -> Found:
    """Lets HiGHS solve what is left; outside of that part, nothing is better than what is known."""
    second = search_by_milp(restricted(exact.model, part.core), exact.best.items, exact.stop)
    exact.best.nodes += second.nodes
    if second.is_plan:
        exact.meet(drafted(part.core, second.items))
    if not second.is_proven:
        first = exact.found([part])
        bound = min(first.bound, second.bound)
        is_best = first.is_plan and exact.model.worth(first.items) >= bound
        return replace(first, bound=bound, is_proven=is_best)
    if exact.width(part.core) <= WIDEST and not exact.stop.is_over():
        exact.remains(part, *POLISH)
    return exact.found()

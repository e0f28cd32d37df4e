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
NODES_CHOICE, NODES_MARGINS = 500, 1_000
"""For so many nodes an item the search goes on before HiGHS is asked, for each of two things that
cost HiGHS its time: steps with a choice, and margins. A plain knapsack costs it little."""
CHOICE = 1.1
"""So many items a step are a choice."""
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
    nodes_max = min(stop.nodes_max, exact.best.nodes + nodes_more(exact, parts[0].core))
    exact.stop = replace(stop, nodes_max=nodes_max)
    found = exact.settle(list(parts))
    if found.is_proven or exact.best.nodes < nodes_max or stop.is_over():
        return found
    exact.stop = stop
    return hand_over(exact, parts[0])


def nodes_more(exact: Exact, core: Core) -> int:
    """For how many nodes the search of a core goes on: for none where HiGHS need not prove."""
    if exact.stop.gap:
        return 0
    items = size(core)
    has_choice = items > CHOICE * len(core)
    return items * (NODES_CHOICE * has_choice + NODES_MARGINS * exact.rows.is_risky)


def hand_over(exact: Exact, part: Part) -> Found:
    """Lets HiGHS solve what is left; outside of that part, nothing is better than what is known."""
    model = restricted(exact.model, part.core)
    second = search_by_milp(model, exact.best.items, exact.stop, part.margins)
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

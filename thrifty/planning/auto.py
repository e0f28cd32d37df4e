"""The default engine: exact as long as that is quick, HiGHS for what is left, if it is there.

The hand-over is decided by counting nodes, not by a clock: the same plan on a slow machine.
"""

from dataclasses import replace

from thrifty.planning.exact import search_exactly
from thrifty.planning.milp import is_installed, search_by_milp
from thrifty.planning.model import Model
from thrifty.planning.result import STOP_NEVER, Found, Stop

EXACT_NODES = (5_000,)
"""The effort after which HiGHS is asked; about 20 ms, where HiGHS seldom needs less."""
EXACT_NODES_LARGE = (1_500, 6_000)
"""The same for a large model, where a node takes longer and most are good enough at once."""
LARGE = 4_000
GAP_LARGE = 0.001
"""From so many items on, a plan within this share of its bound need not be proven best."""
POLISH_NODES = 2_000
"""The effort to settle ties between plans of the value that HiGHS proved."""


def search_automatically(model: Model, stop: Stop = STOP_NEVER) -> Found:
    """The best plan of a model, by whichever engine proves it sooner."""
    # A list schedule is no linear thing; there HiGHS would forbid one set after another.
    if model.clock or not is_installed():
        return search_exactly(model, (), stop)
    first = Found((), 0)
    for nodes_max in EXACT_NODES if model.size < LARGE else EXACT_NODES_LARGE:
        allowed = replace(stop, nodes_max=min(nodes_max, stop.nodes_max))
        first = search_exactly(model, first.items, allowed)
        if first.is_proven or stop.is_over() or is_good_enough(model, first):
            return first
    second = search_by_milp(model, first.items, stop)
    if not second.is_plan:
        return second if second.is_proven else first
    bound = min(first.bound, second.bound)
    nodes = first.nodes + second.nodes
    if second.is_proven and not stop.is_over():
        polish = replace(stop, nodes_max=POLISH_NODES)
        third = search_exactly(model, second.items, polish)
        return Found(third.items, second.bound, nodes + third.nodes)
    value = model.worth(second.items)
    return Found(second.items, max(bound, value), nodes, is_proven=value >= bound)


def is_good_enough(model: Model, found: Found) -> bool:
    """Whether a plan of a large model is so near its bound that a proof is not worth the wait."""
    gap = found.bound - model.worth(found.items)
    return model.size >= LARGE and found.is_plan and gap <= GAP_LARGE * found.bound

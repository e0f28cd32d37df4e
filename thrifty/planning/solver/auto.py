"""The default engine: exact as long as that is quick, HiGHS for what is left, if it is there.

The hand-over is decided by counting nodes, not by a clock: the same plan on a slow machine.
"""

from dataclasses import replace

from thrifty.planning.solver.core import Core, count_items, restrict_to_core
from thrifty.planning.solver.exact import (
    CORE_WIDTH_MAX,
    ExactEngine,
    Subproblem,
    core_items_of,
    solve_exactly,
)
from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.milp import is_installed, solve_by_milp
from thrifty.planning.solver.solve_result import LIMITS_DEFAULT, SolveLimits, SolveResult

ITEMS_LARGE = 4_000
GAP_LARGE = 0.001
"""From so many items on, a plan within this share of its bound need not be proven best."""
NODES_PER_ITEM_CHOICE, NODES_PER_ITEM_MARGINS = 500, 1_000
"""How many nodes an item our own search spends before it asks HiGHS, for each of two things that
cost HiGHS its time: steps with a choice, and margins. A plain knapsack costs it little."""
ITEMS_PER_STEP_CHOICE = 1.1
"""So many items a step are a choice."""
TIE_EFFORT = (8, 5_000)
"""The effort spent on ties between plans of the value that HiGHS proved: how many prices are
tried, and how many nodes are searched."""


def solve_automatically(model: KnapsackModel, limits: SolveLimits = LIMITS_DEFAULT) -> SolveResult:
    """The best plan of a model, by whichever engine proves it sooner."""
    # To prove so large a problem takes longer than the last tenth of a percent is worth.
    if model.item_count >= ITEMS_LARGE:
        limits = replace(limits, gap=GAP_LARGE)
    # A list schedule is no linear thing; there HiGHS would forbid one set after another.
    is_decided = bool(model.impossible) or not model.items
    if is_decided or model.makespan_limit or not is_installed():
        return solve_exactly(model, limits)
    exact = ExactEngine(model, limits)
    parts = exact.reduce_root()
    if exact.is_finished(parts):
        return exact.result(parts)
    nodes_max = min(limits.nodes_max, exact.incumbent.nodes + extra_nodes(exact, parts[0].core))
    # Cut short for the hand-over only: what is left of the caller's limits goes to HiGHS.
    exact.limits = replace(limits, nodes_max=nodes_max)
    result = exact.solve_subproblems(list(parts))
    if result.is_proven or exact.incumbent.nodes < nodes_max or limits.is_past_deadline():
        return result
    exact.limits = limits
    return finish_with_milp(exact, parts[0])


def extra_nodes(exact: ExactEngine, core: Core) -> int:
    """For how many nodes the search of a core goes on: for none where HiGHS need not prove."""
    if exact.limits.gap:
        return 0
    items = count_items(core)
    has_choice = items > ITEMS_PER_STEP_CHOICE * len(core)
    return items * (
        NODES_PER_ITEM_CHOICE * has_choice + NODES_PER_ITEM_MARGINS * exact.packed_rows.has_margins
    )


def finish_with_milp(exact: ExactEngine, subproblem: Subproblem) -> SolveResult:
    """Lets HiGHS solve the subproblem that is left; no plan outside it beats the best one known."""
    model = restrict_to_core(exact.model, subproblem.core)
    second = solve_by_milp(model, exact.incumbent.items, exact.limits, subproblem.margins)
    exact.incumbent.nodes += second.nodes
    if second.is_plan:
        exact.update_incumbent(core_items_of(subproblem.core, second.items))
    if not second.is_proven:
        first = exact.result([subproblem])
        bound = min(first.bound, second.bound)
        # HiGHS was cut short too: its bound is a proof only where a plan reaches it.
        is_best = first.is_plan and exact.model.plan_value(first.items) >= bound
        return replace(first, bound=bound, is_proven=is_best)
    # HiGHS stops at any of several best plans. Which one is ours is decided by spend and names.
    if exact.core_width(subproblem.core) <= CORE_WIDTH_MAX and not exact.limits.is_past_deadline():
        exact.reduce_and_search(subproblem, *TIE_EFFORT)
    return exact.result()

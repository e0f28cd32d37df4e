"""The exact engine: bounds and good plans reduce the problem to a core, and a search solves it.

A core too large to be searched at once is split in two, with and without the step that the
bound is least sure of, and each half is bounded anew: branch and bound in the large around
enumeration in the small.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import floor, inf

from thrifty.planning.solver.branch_and_bound import BranchAndBound, Incumbent
from thrifty.planning.solver.column_sample import sample_steps
from thrifty.planning.solver.core import (
    Core,
    beside_needed,
    count_items,
    split_core,
    whole_core,
)
from thrifty.planning.solver.greedy import CorePlan, plan_by_density, plan_by_reduced_value
from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.leeway import leeway
from thrifty.planning.solver.margin_bound import MarginRange
from thrifty.planning.solver.packed_rows import PackedRows
from thrifty.planning.solver.reduced_cost_fixing import reduce_core
from thrifty.planning.solver.relaxation import DualPrices, Relaxation, RelaxedSolution
from thrifty.planning.solver.settling import Settling
from thrifty.planning.solver.solve_result import LIMITS_DEFAULT, SolveLimits, SolveResult
from thrifty.planning.solver.subgradient import initial_prices, minimise_bound
from thrifty.planning.solver.walk import FEW

EPSILON = 1e-11
"""Relative error allowed to sums of floats: far above what rounding makes of them."""
STAGES = {
    0: ((1, 6_000), (40, 15_000)),
    16: ((3, 6_000), (40, 15_000)),
    25: ((12, 1_000), (20, 15_000)),
    150: ((16, 8_000), (40, 30_000)),
}
"""From a number of items on: how many prices are tried for the whole problem, and how many nodes
of its core are then searched; first as for an easy problem, then as for a hard one."""
STAGES_SHORT = {
    25: ((16, 1_000), (20, 15_000)),
    150: ((1, 10_000), (24, 80_000)),
    500: ((1, 10_000), (24, 500_000)),
}
"""The same where it is the number of steps that limits a plan."""
ITEMS_LARGE = 150
"""From so many items on, good prices are found before the whole problem is bounded: in three steps;
or, where it is the number of steps that limits a plan, for a sample of the steps alone."""
START_ROUNDS = (20, 8)
"""How many prices of rows are tried alone, and how many with the others settled at each."""
SAMPLE_EFFORT = (20, 16, 300)
"""How many steps more than a plan has room for are sampled, how many prices are tried for them,
and how many nodes of their core are searched for a good plan."""
STAGE_SUBPROBLEM = (16, 60_000)
"""The same for a part of it."""
BOUND_MAX = 1e300
"""Stands in for infinity, which cannot be rounded to a whole number."""
REPRICED_ITEMS_MIN = 45
"""How many items a core has at least, to be worth new prices."""
REPRICED_SHARE_MAX = {False: 0.7, True: 0.95}
"""And how much smaller it has become, without margins and with them: a chord is drawn anew as well,
and with fewer items lies higher. (A chord is the margin bound of a row.)"""
TIGHTENED_SHARE_MIN = 0.3
"""What share of the gap the chords over margins must give away less to be worth new prices."""
CORE_WIDTH_MAX = 30_000
"""The widest core that is searched before HiGHS could be asked."""


@dataclass(frozen=True, slots=True)
class Subproblem:
    """A subproblem that is still open: a core, and what is known of it."""

    core: Core
    prices: DualPrices
    bound: float
    margins: Sequence[MarginRange] = ()
    """Of each row, for the plans of the part that matter."""


def solve_exactly(model: KnapsackModel, limits: SolveLimits = LIMITS_DEFAULT) -> SolveResult:
    """The best plan of a model, or the best found within the limits."""
    if model.impossible or not model.items:
        return SolveResult((), 0, is_plan=model.is_plan(()))
    engine = ExactEngine(model, limits)
    return engine.solve_subproblems(engine.reduce_root())


class ExactEngine:
    """One run of the engine."""

    def __init__(self, model: KnapsackModel, limits: SolveLimits) -> None:
        self.model = model
        self.limits = limits
        self.packed_rows = PackedRows(model)
        self.incumbent = Incumbent((), 0.0 if model.is_plan(()) else -inf, inf)
        self.tolerance = 0.0
        self.relaxation = Relaxation(model, whole_core(model, self.packed_rows), self.packed_rows)
        """The latest: of the whole problem, or of a part of it."""

    def reduce_root(self) -> list[Subproblem]:
        """Solves an easy problem; of a hard one, returns the subproblem that is left."""
        relaxation = self.relaxation
        if relaxation.beside is None:
            return []
        core, count = relaxation.core, len(relaxation.items)
        self.update_incumbent(plan_by_density(relaxation))
        prices = initial_prices(relaxation, self.incumbent.items)
        if count >= ITEMS_LARGE:
            find = self.prices_from_sample if self.is_limited_by_steps() else self.prices_from_rows
            prices = find(relaxation, prices)
        parts = [Subproblem(core, prices, inf)]
        tables = (STAGES_SHORT, STAGES) if self.is_limited_by_steps() else (STAGES,)
        stages = next(s for table in tables for n, s in reversed(table.items()) if count >= n)
        for rounds, nodes in stages:
            if self.is_finished(parts):
                break
            parts = self.reduce_and_search(parts.pop(), rounds, nodes, CORE_WIDTH_MAX)
        return parts

    def solve_subproblems(self, subproblems: list[Subproblem]) -> SolveResult:
        """Splits the open subproblems in two until none is left or a limit is reached."""
        while not self.is_finished(subproblems):
            part = subproblems.pop()
            if part.bound < self.incumbent.value - self.tolerance:  # better plans came since
                continue
            # What is left of the likelier half is taken up next, as its plans cut off the other.
            for half in split_core(self.model, part.core):
                if half is not None:
                    subproblems += self.reduce_and_search(
                        replace(part, core=half), *STAGE_SUBPROBLEM
                    )
        return self.result(subproblems)

    def is_finished(self, subproblems: Sequence[Subproblem]) -> bool:
        """Whether nothing is open, or nothing that is worth the effort, or no effort is left."""
        return bool(
            not subproblems
            or self.incumbent.nodes >= self.limits.nodes_max
            or (self.limits.gap and self.overall_bound(subproblems) <= self.sufficient_bound())
            or self.limits.is_past_deadline()
        )

    def is_limited_by_steps(self) -> bool:
        """Whether it is the number of steps that limits a plan."""
        return self.model.max_steps <= max(FEW, len(self.incumbent.items))

    def core_width(self, core: Core) -> int:
        """The choices that are left, times the steps that a plan may have."""
        choices = count_items(core) - sum([position.needed for position in core])
        return self.model.max_steps * choices

    def sufficient_bound(self) -> float:
        """A bound this low is low enough."""
        return self.limits.sufficient_bound(self.incumbent.value)

    def reduce_and_search(
        self, subproblem: Subproblem, rounds: int, nodes: int, width_max: float = inf
    ) -> list[Subproblem]:
        """Solves a subproblem, or returns what remains of it.

        Args:
            subproblem: what is to be settled.
            rounds: how many prices are tried for each of its cores.
            nodes: how many nodes of the last core are searched.
            width_max: a core wider than this is not searched: its nodes would be too many.
        """
        core, prices, margins = subproblem.core, subproblem.prices, subproblem.margins
        shrunk = REPRICED_SHARE_MAX[self.packed_rows.has_margins]
        while True:
            self.incumbent.nodes += (rounds + 1) * len(core)  # bounding is effort, too
            if core is not self.relaxation.core:  # that of the root came with the engine
                self.relaxation = Relaxation(self.model, core, self.packed_rows, margins)
            relaxation = self.relaxation
            if relaxation.beside is None:
                return []
            solution = self.lowest_bound(relaxation, prices, rounds)
            self.tolerance = self.tolerance or bound_tolerance(solution)
            smaller = self.reduce_core(relaxation, solution)
            if smaller is None:
                return []
            prices = solution.prices
            is_clearer, margins = self.tighten_margins(relaxation, solution)
            is_smaller = REPRICED_ITEMS_MIN < count_items(smaller) < shrunk * len(relaxation.items)
            if not is_smaller and not is_clearer:
                break
            core = smaller
        rest = [Subproblem(smaller, prices, min(subproblem.bound, solution.bound), margins)]
        width = self.core_width(smaller)
        if width and (not nodes or width > width_max):
            return rest
        return [] if self.search_core(smaller, solution, nodes) else rest

    def tighten_margins(
        self, relaxation: Relaxation, solution: RelaxedSolution
    ) -> tuple[bool, Sequence[MarginRange]]:
        """Whether the margin ranges of better plans are so much tighter that new prices pay, and
        these ranges."""
        slack = self.value_slack(solution)
        before = relaxation.margin_looseness(solution.prices, relaxation.margin_ranges)
        # They take time to find: not where all that they give away would not pay for new prices.
        if before <= TIGHTENED_SHARE_MIN * slack or solution.bound <= self.sufficient_bound():
            return False, relaxation.margin_ranges
        margins = leeway(relaxation, solution, slack)
        return before - relaxation.margin_looseness(
            solution.prices, margins
        ) > TIGHTENED_SHARE_MIN * slack, margins

    def value_slack(self, solution: RelaxedSolution) -> float:
        """How much value a plan may lose against a bound and still be better than the incumbent."""
        return solution.bound - self.incumbent.value + self.tolerance

    def reduce_core(self, relaxation: Relaxation, solution: RelaxedSolution) -> Core | None:
        """What of a core can still be better than the best plan; None when nothing can."""
        slack = self.value_slack(solution)
        return reduce_core(relaxation, solution, slack) if slack >= 0 else None

    def search_core(self, core: Core, solution: RelaxedSolution, nodes: int) -> bool:
        """Searches a core for a better plan; whether none is left."""
        left = beside_needed(self.packed_rows, core)
        if left is None:
            return True
        nodes_max = min(self.limits.nodes_max, self.incumbent.nodes + nodes + len(core))
        search = BranchAndBound(self.model, self.packed_rows, left, solution, self.tolerance)
        return search.run(self.incumbent, replace(self.limits, nodes_max=nodes_max))

    def prices_from_rows(self, relaxation: Relaxation, prices: DualPrices) -> DualPrices:
        """Good prices to start from where there are thousands of them.

        Those of the rows come first, alone, then with all others settled at each. What is
        settled lies at an edge, from which no slope leads on: so the descent of all together
        starts half-way.
        """
        alone, together = START_ROUNDS
        self.incumbent.nodes += (alone + 2 * together) * len(relaxation.core)
        start, meet = DualPrices(prices.rows, {}, {}), self.plan_maker(relaxation)
        enough = self.sufficient_bound

        def row_slopes(at: RelaxedSolution) -> DualPrices:
            return DualPrices(relaxation.rooms(at, at.chosen_places), {}, {})

        solution = minimise_bound(relaxation.solve, row_slopes, start, enough, alone, meet)
        if not self.model.penalty and not any(self.model.requires):
            return solution.prices
        dual, start = Settling(relaxation), solution.prices
        solution = minimise_bound(
            dual.solve,
            dual.slopes,
            start,
            enough,
            together,
            meet,
            step_share=0.5,
            row_change_max=0.3,
        )
        return solution.prices.with_half_couplings()

    def prices_from_sample(self, relaxation: Relaxation, prices: DualPrices) -> DualPrices:
        """Good prices to start from, and a good plan, found on a sample of the steps."""
        spare, rounds, nodes = SAMPLE_EFFORT
        first = relaxation.solve(prices)
        self.tolerance = bound_tolerance(first)
        part = Relaxation(self.model, sample_steps(relaxation, first, spare), self.packed_rows)
        self.incumbent.nodes += len(relaxation.core) + (rounds + 1) * len(part.core)
        solution = self.lowest_bound(part, prices, rounds)
        if core := self.reduce_core(part, solution):
            self.search_core(core, solution, nodes)
        return solution.prices

    def lowest_bound(
        self, relaxation: Relaxation, prices: DualPrices, rounds: int
    ) -> RelaxedSolution:
        """The lowest bound found, plans noted on the way."""
        solve, slopes_of, meet = relaxation.solve, relaxation.slopes, self.plan_maker(relaxation)
        return minimise_bound(solve, slopes_of, prices, self.sufficient_bound, rounds, meet)

    def plan_maker(self, relaxation: Relaxation) -> Callable[[RelaxedSolution], None]:
        """A callback that makes a plan of each point of a descent."""
        return lambda solution: self.update_incumbent(plan_by_reduced_value(relaxation, solution))

    def update_incumbent(self, plan: CorePlan) -> None:
        """Makes a plan the incumbent if it is better."""
        if plan:
            items = tuple([branch.item for branch in plan])
            trifle = sum([branch.value - branch.item.value for branch in plan])  # for its spend
            value = self.model.plan_value(items) + trifle
            if value > self.incumbent.value:
                self.incumbent.items, self.incumbent.value = items, value

    def overall_bound(self, subproblems: Sequence[Subproblem]) -> int:
        """The bound of what is open, in whole units. Less than one unit was taken off for the
        spend; a bound must not profit from it."""
        highest = min(max([part.bound for part in subproblems]), BOUND_MAX)
        return floor(highest + self.tolerance + 1.0)

    def result(self, subproblems: Sequence[Subproblem] = ()) -> SolveResult:
        """The result when these subproblems are still open, its bound rounded to whole units."""
        best, is_plan = self.incumbent, self.incumbent.value > -inf
        value = self.model.plan_value(best.items) if is_plan else 0
        if not subproblems:
            return SolveResult(best.items, value, best.nodes, is_plan=is_plan)
        bound = max(value, self.overall_bound(subproblems))
        return SolveResult(best.items, bound, best.nodes, is_plan and bound == value, is_plan)


def bound_tolerance(solution: RelaxedSolution) -> float:
    """The error that rounding may leave in bounds like this one."""
    return EPSILON * (abs(solution.bound) + sum(map(abs, solution.net_step_values)) + 1.0)


def core_items_of(core: Core, plan: Sequence[KnapsackItem]) -> CorePlan:
    """The core's items that a plan has chosen."""
    names = {item.name for item in plan}
    return [branch for p in core for branch in p.items if branch.item.name in names]

"""The mixed-integer engine: the same model for HiGHS, which cuts where our bound only prices.

Optional (`pip install thrifty[solver]`) and loaded when called. Two conditions are not linear
and are added as cuts when a solution breaks them, until none does: the margin (a cone, cut by
its tangents at the solution; J. E. Kelley, 1960) and the makespan of a list schedule (the one
set is forbidden). Source of the solver: Q. Huangfu, J. A. J. Hall, "Parallelizing the dual
revised simplex method", Mathematical Programming Computation 10 (2018).
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from itertools import accumulate, chain, count, islice
from math import floor, inf, sqrt
from typing import Any, NamedTuple

from thrifty.budget.errors import InvalidInput
from thrifty.planning import risk
from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.margin_bound import MarginRange, bound_margins, margin_range
from thrifty.planning.solver.solve_result import LIMITS_DEFAULT, SolveLimits, SolveResult

EXACT_VALUE_MAX = 10**9
"""Up to this many units of value in all, HiGHS's proof of an optimum is one."""
OBJECTIVE_TOLERANCE = 1e-7
"""Beyond, its bound is right to this share: its tolerance for an objective (HiGHS's manual)."""
CUTS_MAX = 100
"""After how many cuts the engine gives up proving."""
CAPACITY_SCALE = 1_000.0
"""Every capacity becomes this much, so that the solver's tolerances mean a share of it."""
HIGHS_OPTIONS: tuple[tuple[str, bool | int | float], ...] = (
    ("output_flag", False),
    ("threads", 1),  # the same plan on every machine
    ("random_seed", 0),
    ("mip_abs_gap", 0.999),  # values are whole
)

HIGHS_INTEGER = 1
"""HiGHS's code for an integer column."""
HIGHS_FEASIBLE = 2
"""HiGHS's code for a feasible solution."""
INTEGRALITY_TOLERANCE = 1e-4
"""A bound this little below a whole number counts as that number."""


class LinearConstraint(NamedTuple):
    """One linear condition."""

    lower: float
    upper: float
    columns: list[int]
    factors: list[float]


@cache
def is_installed() -> bool:
    """Whether HiGHS is there; does not load it."""
    return find_spec("highspy") is not None


def solve_by_milp(
    model: KnapsackModel,
    known: Sequence[KnapsackItem] = (),
    limits: SolveLimits = LIMITS_DEFAULT,
    margins: Sequence[MarginRange] = (),
) -> SolveResult:
    """The best plan of a model, proven by HiGHS unless a limit is reached first.

    Args:
        model: the problem.
        known: a plan to start from.
        limits: how much effort may be spent.
        margins: of each row, for the plans that are better than the known one; if at hand.

    Raises:
        InvalidInput: highspy is not installed.
    """
    if model.impossible or not model.items:
        return SolveResult((), 0, is_plan=model.is_plan(()))
    return HighsProblem(model, margins).solve(known, limits)


class HighsProblem:
    """A model in HiGHS: a column for each item, and one for each further entry to a topic."""

    def __init__(self, model: KnapsackModel, margins: Sequence[MarginRange] = ()) -> None:
        self.model = model
        self.margins = margins or [
            margin_range(row, capacity, model.max_steps, model.items, model.is_required)
            for row, capacity in enumerate(model.capacities)
        ]
        self.items = list(chain.from_iterable(model.items))
        columns = count()
        self.columns_of_step = [list(islice(columns, len(group))) for group in model.items]
        self.topics: dict[int, list[int]] = {}
        for step, topic in enumerate(model.topics):
            if topic >= 0 and model.penalty and model.items[step]:
                self.topics.setdefault(topic, []).append(step)
        self.highs = _load_highs()
        for option, value in HIGHS_OPTIONS:
            self.highs.setOptionValue(option, value)
        self._add_columns()
        self._add_rows([*self._capacity_rows(), *self._step_rows(), *self._topic_rows()])

    def _add_columns(self) -> None:
        costs = [-float(item.value) for item in self.items]
        for steps in self.topics.values():
            costs += [float(self.model.penalty * rank) for rank in range(1, len(steps))]
        columns = len(costs)
        self.highs.addVars(columns, [0.0] * columns, [1.0] * columns)
        self.highs.changeColsCost(columns, list(range(columns)), costs)
        whole = len(self.items)  # entries to topics come out whole by themselves
        self.highs.changeColsIntegrality(whole, list(range(whole)), [HIGHS_INTEGER] * whole)

    def _add_rows(self, rows: Sequence[LinearConstraint]) -> None:
        starts = list(accumulate([len(row.columns) for row in rows], initial=0))[:-1]
        columns = list(chain.from_iterable(row.columns for row in rows))
        factors = list(chain.from_iterable(row.factors for row in rows))
        lower, upper = [row.lower for row in rows], [row.upper for row in rows]
        self.highs.addRows(len(rows), lower, upper, len(columns), starts, columns, factors)

    def _capacity_rows(self) -> Iterator[LinearConstraint]:
        model, every = self.model, list(range(len(self.items)))
        yield LinearConstraint(-inf, float(model.max_steps), every, [1.0] * len(every))
        for row, capacity in enumerate(model.capacities):
            unit = CAPACITY_SCALE / capacity if capacity else CAPACITY_SCALE
            chord = bound_margins(self.margins[row])
            amounts = chord.row_amounts(row, self.items, unit)
            yield LinearConstraint(-inf, (capacity - chord.base) * unit, every, amounts)

    def _step_rows(self) -> Iterator[LinearConstraint]:
        for step, span in enumerate(self.columns_of_step):
            if not span:
                continue
            ones = [1.0] * len(span)
            yield LinearConstraint(1.0 if self.model.is_required[step] else 0.0, 1.0, span, ones)
            for requirement in self.model.requires[step]:
                other = self.columns_of_step[requirement]
                yield LinearConstraint(-inf, 0.0, span + other, ones + [-1.0] * len(other))

    def _topic_rows(self) -> Iterator[LinearConstraint]:
        column = len(self.items)
        for steps in self.topics.values():
            members = [item for step in steps for item in self.columns_of_step[step]]
            entries = list(range(column, column := column + len(steps) - 1))
            yield LinearConstraint(
                -inf, 1.0, members + entries, [1.0] * len(members) + [-1.0] * len(entries)
            )

    def solve(self, known: Sequence[KnapsackItem], limits: SolveLimits) -> SolveResult:
        """Solves, cuts, and solves again until the solution is a plan."""
        best, bound, nodes = tuple(known), inf, 0
        is_plan = bool(known) or self.model.is_plan(())
        for _ in range(CUTS_MAX):
            self._set_start(best)
            status = self._run(limits, nodes)
            info = self.highs.getInfo()
            nodes += max(0, int(info.mip_node_count))
            if status == "Infeasible":
                return SolveResult(best, self.model.plan_value(best), nodes, is_plan=is_plan)
            bound = min(bound, -float(info.mip_dual_bound))  # HiGHS minimises
            solution = self._solution() if info.primal_solution_status == HIGHS_FEASIBLE else None
            if solution is None:
                break
            if self.model.is_plan(solution):
                if not is_plan or self.model.sort_key(solution) < self.model.sort_key(best):
                    best, is_plan = solution, True
                is_exact = self.model.value_max <= EXACT_VALUE_MAX and not limits.gap
                if status == "Optimal" and is_exact:
                    return SolveResult(best, self.model.plan_value(best), nodes)
                break
            enough = limits.sufficient_bound(self.model.plan_value(best))
            if limits.gap and is_plan and bound <= enough:
                break
            # Tangents may leave this very set in, by rounding or as it is late: it goes besides.
            self._add_rows([*self._tangent_cuts(solution), self._no_good_cut(solution)])
            if status != "Optimal":  # cut short: it would not prove more
                break
        most = self.model.value_max
        slack = INTEGRALITY_TOLERANCE if most <= EXACT_VALUE_MAX else OBJECTIVE_TOLERANCE * most
        whole = floor(min(bound + slack, most))
        return SolveResult(best, max(whole, self.model.plan_value(best)), nodes, False, is_plan)

    def _run(self, limits: SolveLimits, nodes: int) -> str:
        self.highs.setOptionValue("time_limit", limits.seconds_left())
        self.highs.setOptionValue("mip_rel_gap", limits.gap)
        self.highs.setOptionValue("mip_max_nodes", max(0, limits.nodes_max - nodes))
        self.highs.run()
        return str(self.highs.modelStatusToString(self.highs.getModelStatus()))

    def _set_start(self, known: Sequence[KnapsackItem]) -> None:
        """A plan to start from."""
        if known:
            names = {item.name for item in known}
            values = [float(item.name in names) for item in self.items]
            self.highs.setSolution(len(values), list(range(len(values))), values)

    def _solution(self) -> tuple[KnapsackItem, ...]:
        values = list(self.highs.getSolution().col_value)
        return tuple(i for i, value in zip(self.items, values, strict=False) if value > 0.5)

    def _tangent_cuts(self, chosen: Sequence[KnapsackItem]) -> Iterator[LinearConstraint]:
        """Cuts off a solution by the tangents to the cones that it violates."""
        picked = {item.name for item in chosen}
        for row, capacity in enumerate(self.model.capacities):
            if self.model.room_of(row, chosen) >= 0 or not capacity:
                continue
            whole = sqrt(sum(i.variances[row] for i in chosen if i.variances) * risk.CONE_SCALE)
            factors = [
                float(i.amounts[row])
                + (i.variances[row] / whole if i.variances and i.name in picked and whole else 0.0)
                for i in self.items
            ]
            unit = CAPACITY_SCALE / capacity
            yield LinearConstraint(
                -inf, CAPACITY_SCALE, list(range(len(factors))), [f * unit for f in factors]
            )

    def _no_good_cut(self, chosen: Sequence[KnapsackItem]) -> LinearConstraint:
        """Cuts off one set of items: exactly these, no more and no less, are no plan."""
        picked = {item.name for item in chosen}
        factors = [1.0 if item.name in picked else -1.0 for item in self.items]
        return LinearConstraint(-inf, float(len(picked) - 1), list(range(len(factors))), factors)


def _load_highs() -> Any:
    """A new HiGHS.

    Raises:
        InvalidInput: highspy is not installed.
    """
    try:
        import highspy
    except ImportError as error:
        remedy = "install it with `pip install 'thrifty[solver]'`, or use the engine `exact`"
        raise InvalidInput("engine", "milp", remedy) from error
    with _silence_stdout():
        return highspy.Highs()  # type: ignore[no-untyped-call]


@contextmanager
def _silence_stdout() -> Iterator[None]:
    """Hides standard output while HiGHS starts: it prints a banner before it can be told not to."""
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)

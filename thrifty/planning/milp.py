"""The mixed-integer engine: the same model for HiGHS, which cuts where our bound only prices.

Optional (`pip install thrifty[solver]`) and loaded when called. Two conditions are not linear
and are added as cuts when a solution breaks them, until none does: the margin (a cone, cut by
its tangents at the solution; J. E. Kelley, 1960) and the makespan of a list schedule (the one
set is forbidden). Source of the solver: Q. Huangfu, J. A. J. Hall, "Parallelizing the dual
revised simplex method", Mathematical Programming Computation 10 (2018).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from itertools import chain, pairwise
from math import floor, inf, sqrt
from typing import Any, NamedTuple

from thrifty.budget.errors import InvalidInput
from thrifty.planning import risk
from thrifty.planning.chord import Margins, chord_over, margins_of
from thrifty.planning.model import Item, Model
from thrifty.planning.result import STOP_NEVER, Found, Stop

EXACT_MAX = 10**9
"""Up to this many units of value in all, HiGHS's proof of an optimum is one."""
TOLERANCE = 1e-7
"""Beyond, its bound is right to this share: its tolerance for an objective (HiGHS's manual)."""
CUTS_MAX = 100
"""After how many cuts the engine gives up proving."""
SCALE = 1_000.0
"""Every capacity becomes this much, so that the solver's tolerances mean a share of it."""
OPTIONS: tuple[tuple[str, bool | int | float], ...] = (
    ("output_flag", False),
    ("threads", 1),
    ("random_seed", 0),
    ("mip_abs_gap", 0.999),  # values are whole
)


INTEGER = 1
"""HiGHS's word for a whole column."""
SOLVED = 2
"""HiGHS's word for a feasible solution."""
WHOLE = 1e-4
"""How near below a whole number a bound still counts as that number."""


class Row(NamedTuple):
    """One linear condition."""

    lower: float
    upper: float
    columns: list[int]
    factors: list[float]


@cache
def is_installed() -> bool:
    """Whether HiGHS is there; does not load it."""
    return find_spec("highspy") is not None


def search_by_milp(
    model: Model,
    known: Sequence[Item] = (),
    stop: Stop = STOP_NEVER,
    margins: Sequence[Margins] = (),
) -> Found:
    """The best plan of a model, proven by HiGHS unless the allowance runs out.

    Args:
        model: the problem.
        known: a plan to start from.
        stop: the allowance.
        margins: of each row, for the plans that are better than the known one; if at hand.

    Raises:
        InvalidInput: highspy is not installed.
    """
    if model.impossible or not model.items:
        return Found((), 0, is_plan=model.is_plan(()))
    return Milp(model, margins).solve(known, stop)


class Milp:
    """A model in HiGHS: a column for each item, and one for each further entry to a topic."""

    def __init__(self, model: Model, margins: Sequence[Margins] = ()) -> None:
        self.model = model
        self.margins = margins or [
            margins_of(row, capacity, model.max_steps, model.items, model.required)
            for row, capacity in enumerate(model.capacities)
        ]
        self.items = list(chain.from_iterable(model.items))
        ends = [0]
        for group in model.items:
            ends.append(ends[-1] + len(group))
        self.spans = [list(range(start, end)) for start, end in pairwise(ends)]
        self.topics: dict[int, list[int]] = {}
        for step, topic in enumerate(model.topics):
            if topic >= 0 and model.penalty and model.items[step]:
                self.topics.setdefault(topic, []).append(step)
        self.highs = _load()
        for option, value in OPTIONS:
            self.highs.setOptionValue(option, value)
        self._add_columns()
        self._add_rows([*self._limits(), *self._steps(), *self._entries()])

    def _add_columns(self) -> None:
        costs = [-float(item.value) for item in self.items]
        for steps in self.topics.values():
            costs += [float(self.model.penalty * rank) for rank in range(1, len(steps))]
        count = len(costs)
        self.highs.addVars(count, [0.0] * count, [1.0] * count)
        self.highs.changeColsCost(count, list(range(count)), costs)
        whole = len(self.items)
        self.highs.changeColsIntegrality(whole, list(range(whole)), [INTEGER] * whole)

    def _add_rows(self, rows: Sequence[Row]) -> None:
        starts: list[int] = []
        columns: list[int] = []
        factors: list[float] = []
        for row in rows:
            starts.append(len(columns))
            columns += row.columns
            factors += row.factors
        lower, upper = [row.lower for row in rows], [row.upper for row in rows]
        self.highs.addRows(len(rows), lower, upper, len(columns), starts, columns, factors)

    def _limits(self) -> Iterator[Row]:
        model, every = self.model, list(range(len(self.items)))
        yield Row(-inf, float(model.max_steps), every, [1.0] * len(every))
        for row, capacity in enumerate(model.capacities):
            unit = SCALE / capacity if capacity else SCALE
            chord = chord_over(self.margins[row])
            amounts = chord.column(row, self.items, unit)
            yield Row(-inf, (capacity - chord.base) * unit, every, amounts)

    def _steps(self) -> Iterator[Row]:
        for step, span in enumerate(self.spans):
            if not span:
                continue
            ones = [1.0] * len(span)
            yield Row(1.0 if self.model.required[step] else 0.0, 1.0, span, ones)
            for requirement in self.model.requires[step]:
                other = self.spans[requirement]
                yield Row(-inf, 0.0, span + other, ones + [-1.0] * len(other))

    def _entries(self) -> Iterator[Row]:
        column = len(self.items)
        for steps in self.topics.values():
            members = [item for step in steps for item in self.spans[step]]
            entries = list(range(column, column := column + len(steps) - 1))
            yield Row(-inf, 1.0, members + entries, [1.0] * len(members) + [-1.0] * len(entries))

    def solve(self, known: Sequence[Item], stop: Stop) -> Found:
        """Solves, cuts, and solves again until the solution is a plan."""
        best, bound, nodes = tuple(known), inf, 0
        is_plan = bool(known) or self.model.is_plan(())
        for _ in range(CUTS_MAX):
            self._hint(best)
            status = self._run(stop, nodes)
            info = self.highs.getInfo()
            nodes += max(0, int(info.mip_node_count))
            if status == "Infeasible":
                return Found(best, self.model.worth(best), nodes, is_plan=is_plan)
            bound = min(bound, -float(info.mip_dual_bound))
            solution = self._solution() if info.primal_solution_status == SOLVED else None
            if solution is None:
                break
            if self.model.is_plan(solution):
                if not is_plan or self.model.rank(solution) < self.model.rank(best):
                    best, is_plan = solution, True
                if status == "Optimal" and self.model.value_max <= EXACT_MAX and not stop.gap:
                    return Found(best, self.model.worth(best), nodes)
                break
            if stop.gap and is_plan and bound <= stop.enough(self.model.worth(best)):
                break
            self._add_rows([*self._tangents(solution), self._forbidden(solution)])
            if status != "Optimal":
                break
        most = self.model.value_max
        slack = WHOLE if most <= EXACT_MAX else TOLERANCE * most
        whole = floor(min(bound + slack, most))
        return Found(best, max(whole, self.model.worth(best)), nodes, False, is_plan)

    def _run(self, stop: Stop, nodes: int) -> str:
        self.highs.setOptionValue("time_limit", stop.seconds_left())
        self.highs.setOptionValue("mip_rel_gap", stop.gap)
        self.highs.setOptionValue("mip_max_nodes", max(0, stop.nodes_max - nodes))
        self.highs.run()
        return str(self.highs.modelStatusToString(self.highs.getModelStatus()))

    def _hint(self, known: Sequence[Item]) -> None:
        """A plan to start from."""
        if known:
            names = {item.name for item in known}
            values = [float(item.name in names) for item in self.items]
            self.highs.setSolution(len(values), list(range(len(values))), values)

    def _solution(self) -> tuple[Item, ...]:
        values = list(self.highs.getSolution().col_value)
        return tuple(i for i, value in zip(self.items, values, strict=False) if value > 0.5)

    def _tangents(self, chosen: Sequence[Item]) -> Iterator[Row]:
        """The tangents to the cones that a solution breaks."""
        picked = {item.name for item in chosen}
        for row, capacity in enumerate(self.model.capacities):
            if self.model.room_of(row, chosen) >= 0 or not capacity:
                continue
            whole = sqrt(sum(i.variances[row] for i in chosen if i.variances) * risk.CONE)
            factors = [
                float(i.amounts[row])
                + (i.variances[row] / whole if i.variances and i.name in picked and whole else 0.0)
                for i in self.items
            ]
            unit = SCALE / capacity
            yield Row(-inf, SCALE, list(range(len(factors))), [f * unit for f in factors])

    def _forbidden(self, chosen: Sequence[Item]) -> Row:
        """This one set of items, with nothing added or taken away, is no plan."""
        picked = {item.name for item in chosen}
        factors = [1.0 if item.name in picked else -1.0 for item in self.items]
        return Row(-inf, float(len(picked) - 1), list(range(len(factors))), factors)


def _load() -> Any:
    """A new HiGHS.

    Raises:
        InvalidInput: highspy is not installed.
    """
    try:
        import highspy
    except ImportError as error:
        remedy = "install it with `pip install 'thrifty[solver]'`, or use the engine `exact`"
        raise InvalidInput("engine", "milp", remedy) from error
    with _stdout_closed():
        return highspy.Highs()  # type: ignore[no-untyped-call]


@contextmanager
def _stdout_closed() -> Iterator[None]:
    """HiGHS greets on the process's standard output before it can be told not to."""
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)

"""The best plan of several problems, each taken apart into the cases that roles ask for.

An engine solves one case after another, the most promising first. Where its plan holds material
that nobody reads, the case is split: without that material, or with one of its readers. A case
that cannot beat the best plan is not looked at. So this is a branch and bound around the engines
(A. H. Land, A. G. Doig, 1960), and a problem whose roles ask for nothing is one case.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from math import inf
from typing import NamedTuple

from thrifty.planning.problem import Problem
from thrifty.planning.role_rows import NOBODY, Case, Names, RoleRows
from thrifty.planning.solver.build_knapsack import build_knapsack
from thrifty.planning.solver.constraint_matrix import ConstraintMatrix
from thrifty.planning.solver.knapsack import KnapsackModel
from thrifty.planning.solver.knapsack_item import KnapsackItem
from thrifty.planning.solver.solve_result import LIMITS_DEFAULT, SolveLimits, SolveResult

SolveFunction = Callable[[KnapsackModel, SolveLimits], SolveResult]
"""A pure function: the same model gives the same plan, on any machine."""

CASES_MAX = 500
"""After so many cases the best plan found is returned, with its bound."""

Rank = tuple[float, tuple[int, ...], tuple[str, ...]]
"""Ascending: most value first, in millionths with a minus, then the lower spend, then names."""


@dataclass(frozen=True, slots=True)
class CasePlan:
    """A set of options, and the case that it was found in."""

    problem: Problem
    """The case, as a problem without rows for roles."""
    matrix: ConstraintMatrix
    model: KnapsackModel
    items: tuple[KnapsackItem, ...] = ()

    @property
    def value_micro(self) -> int:
        """What the options are worth together, in millionths."""
        return self.model.plan_value(self.items) * self.model.unit_micro

    @property
    def rank(self) -> Rank:
        """Where it stands among all plans."""
        _, spend, names = self.model.sort_key(self.items)
        return -self.value_micro, spend, names

    def unread(self, rows: RoleRows) -> str:
        """The first material among the options that none of them reads; empty without any."""
        return rows.unread(self._items_by_step()) if rows.readers else ""

    def without_unread(self, rows: RoleRows) -> "CasePlan":
        """The same without the material that nobody reads."""
        items = self._items_by_step()
        while unread := rows.unread(items):
            del items[unread]
        return replace(self, items=tuple(items.values()))

    def _items_by_step(self) -> dict[str, KnapsackItem]:
        step_of = {o.name: step.name for step in self.problem.steps for o in step.options}
        return {step_of[item.name]: item for item in self.items}


@dataclass(frozen=True, slots=True)
class BestCase:
    """The best plan of all cases, and what has been proven of it."""

    found: CasePlan
    """Where there is no plan, what was looked at first: it says what was missing there."""
    problem: Problem
    """Of several, the one whose plan it is. Without a plan, the first."""
    is_plan: bool
    is_proven: bool
    """Whether the search ended by itself: then the plan is best, or there is none."""
    bound_micro: int
    """No plan is worth more than this many millionths."""
    nodes: int


def find_best_case(
    problems: Sequence[Problem],
    solve: SolveFunction,
    limits: SolveLimits = LIMITS_DEFAULT,
    forced: Names = NOBODY,
) -> BestCase:
    """The best plan that any of several problems has.

    Args:
        problems: at least one. Each is a whole of its own: plans do not mix.
        solve: the engine.
        limits: how much effort may be spent on all of them together.
        forced: names of steps that a plan must have, whatever its answer would do without.
    """
    search = _CaseSearch(solve, limits)
    for problem in problems:
        rows = RoleRows.of(problem)
        for case in rows.cases():
            if case.lacks.isdisjoint(forced):
                search.add(UNKNOWN, problem, rows, replace(case, has=case.has | forced))
    search.run()
    return search.result(problems[0])


UNKNOWN: Rank = (-inf, (), ())
"""The rank of what a case may hold that nobody has looked at."""


class _OpenCase(NamedTuple):
    """A case that is still to be solved; none has the rank and the number of another."""

    rank: Rank
    """No plan of it stands before this."""
    number: int
    problem: Problem
    rows: RoleRows
    case: Case


class _CaseSearch:
    """One search."""

    def __init__(self, solve: SolveFunction, limits: SolveLimits) -> None:
        self.solve, self.limits = solve, limits
        self.open_cases: list[_OpenCase] = []
        self.best: CasePlan | None = None
        self.best_problem: Problem | None = None
        """The problem that it is a plan of."""
        self.first: CasePlan | None = None
        self.unproven_bounds: list[int] = []
        self.nodes = self.added = self.solved = 0

    def add(self, rank: Rank, problem: Problem, rows: RoleRows, case: Case) -> None:
        """Puts a case among those that are open."""
        heappush(self.open_cases, _OpenCase(rank, self.added, problem, rows, case))
        self.added += 1

    def run(self) -> None:
        """Solves case after case until none can hold a better plan, or a limit is reached."""
        while self.open_cases and self._may_hold_better(self.open_cases[0]):
            if self.open_cases[0].rank != UNKNOWN and self._is_cut_short():
                break
            self._take(heappop(self.open_cases))

    def result(self, problem: Problem) -> BestCase:
        """What came of it; the problem is there for a search that found no plan."""
        found = self.best or self.first or lay_out(problem)
        is_plan = self.best is not None
        value = found.value_micro if is_plan else 0
        waiting = filter(self._may_hold_better, self.open_cases)
        bounds = [*self.unproven_bounds, *(int(-open_case.rank[0]) for open_case in waiting)]
        is_proven = all(is_plan and bound < value for bound in bounds)
        of = self.best_problem or problem
        return BestCase(found, of, is_plan, is_proven, max([value, *bounds]), self.nodes)

    def _may_hold_better(self, open_case: _OpenCase) -> bool:
        return self.best is None or open_case.rank < self.best.rank

    def _is_cut_short(self) -> bool:
        limits = self.limits
        is_spent = self.solved >= CASES_MAX or self.nodes >= limits.nodes_max
        return is_spent or limits.is_past_deadline()

    def _take(self, at: _OpenCase) -> None:
        """Solves a case, and splits it where its plan holds material that nobody reads."""
        tried = lay_out(at.rows.narrow(at.problem, at.case))
        left = replace(self.limits, nodes_max=max(0, self.limits.nodes_max - self.nodes))
        solved = self.solve(tried.model, left)
        self.nodes, self.solved = self.nodes + solved.nodes, self.solved + 1
        self.first = self.first or tried
        tried = replace(tried, items=solved.items)
        rank: Rank = (-solved.bound * tried.model.unit_micro, (), ())
        if not solved.is_plan:
            if not solved.is_proven:
                self.unproven_bounds.append(-int(rank[0]))
            return
        if unread := tried.unread(at.rows):
            # No plan of a part stands before the best of the whole.
            rank = max(at.rank, tried.rank if solved.is_proven else rank)
            for part in at.rows.split(at.case, unread):
                self.add(rank, at.problem, at.rows, part)
            tried = tried.without_unread(at.rows)
            if not tried.model.is_plan(tried.items):
                return  # a schedule may get longer with less in it
        elif not solved.is_proven:
            self.unproven_bounds.append(-int(rank[0]))
        if not self.best or tried.rank < self.best.rank:
            self.best, self.best_problem = tried, at.problem


def lay_out(problem: Problem) -> CasePlan:
    """A problem as the engines see it, with nothing chosen yet."""
    matrix = ConstraintMatrix(problem)
    return CasePlan(problem, matrix, build_knapsack(problem, matrix))

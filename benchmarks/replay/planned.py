"""Choosing with thrifty's planner: the most value that keeps to the budget at an accepted risk."""

from __future__ import annotations

from benchmarks.replay.cases import Case
from benchmarks.replay.known import STEP, Known
from benchmarks.replay.log import Executed
from thrifty.budget import Budget, Step
from thrifty.planning.engines import make_plan
from thrifty.planning.problem import Problem


def planned(known: Known, case: Case, budget_nano_usd: int, risk: float) -> Executed | None:
    """What the planner chooses; None when nothing fits at that risk."""
    by_name = {known.plan(row).name: row for row in case.candidates}
    problem = Problem(
        steps=(Step(STEP, tuple(known.plan(row) for row in case.candidates)),),
        left=Budget.of_limits((None, budget_nano_usd, None, None)),
        risk=risk,
        surprises=known.learned.surprises,
    )
    chosen = make_plan(problem).chosen
    return by_name[chosen[0].name] if chosen else None

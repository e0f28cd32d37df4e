"""The one signature behind which every planner stands, and the planners by their names."""

from collections.abc import Callable, Mapping
from typing import Literal

from thrifty.budget import checks
from thrifty.budget.plan import Plan
from thrifty.planning.beam import plan_by_beam
from thrifty.planning.problem import Problem

Engine = Callable[[Problem], Plan]
"""A pure function: the same problem gives the same plan, on any machine."""

EngineName = Literal["beam"]

ENGINES: Mapping[str, Engine] = {"beam": plan_by_beam}
ENGINE_DEFAULT: EngineName = "beam"


def make_plan(problem: Problem, engine: str = ENGINE_DEFAULT) -> Plan:
    """Plans with the engine of that name.

    Raises:
        InvalidInput: no engine has that name.
    """
    return ENGINES[checks.choice("engine", engine, ENGINES)](problem)

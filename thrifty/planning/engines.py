"""The one signature behind which every planner stands, and the planners by their names.

Nothing that plans is loaded before it is asked to: importing this costs what `Problem` costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic_ns
from typing import TYPE_CHECKING, Literal, get_args

from thrifty.budget import Budget, validate
from thrifty.planning.problem import Problem

if TYPE_CHECKING:
    from thrifty.budget import Plan
    from thrifty.planning.planner import BestPlan

EngineName = Literal["auto", "exact", "milp", "beam"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
"""`auto`: exact as long as that is quick, then HiGHS, if it is installed. `exact`: our own branch
and bound. `milp`: HiGHS. `beam`: the tutorial's search, as a baseline."""
ENGINE_DEFAULT: EngineName = "auto"
DEADLINE_MS_DEFAULT = 10_000
DEADLINE_MS_MAX = 86_400_000


def make_plan(
    problem: Problem,
    engine: str = ENGINE_DEFAULT,
    *,
    deadline_ms: int = DEADLINE_MS_DEFAULT,
    clock_ns: Callable[[], int] = monotonic_ns,
) -> Plan:
    """Plans with the engine of that name.

    Args:
        problem: what is to be planned.
        engine: one of `ENGINES`.
        deadline_ms: after how long the best plan found is returned, with its gap. Only a
            problem that is cut short by it can be planned differently on a slower machine.
        clock_ns: a clock that never goes back.

    Raises:
        InvalidInput: no engine has that name, or it is not installed.
    """
    return make_best_plan((problem,), engine, deadline_ms=deadline_ms, clock_ns=clock_ns).plan


def make_best_plan(
    problems: Sequence[Problem],
    engine: str = ENGINE_DEFAULT,
    *,
    deadline_ms: int = DEADLINE_MS_DEFAULT,
    clock_ns: Callable[[], int] = monotonic_ns,
) -> BestPlan:
    """The best plan that any of several problems has, in one search: as `make_plan`.

    Args:
        problems: at least one. Each is a whole of its own: plans do not mix.
        engine: as of `make_plan`.
        deadline_ms: for all of them together.
        clock_ns: as of `make_plan`.

    Raises:
        InvalidInput: no engine has that name, or it is not installed.
    """
    validate.choice("engine", engine, ENGINES)
    validate.amount("deadline_ms", deadline_ms, maximum=DEADLINE_MS_MAX)
    from thrifty.planning.planner import make_plan_with

    return make_plan_with(engine, problems, deadline_ms, clock_ns)


def warm_up() -> None:
    """Loads the planner now, so that its time is not the first run's latency."""
    make_plan(Problem((), Budget()))

"""thrifty: a LangGraph agent that gets the most done inside a hard budget.

The public names; each is loaded when it is first used, so that `import thrifty` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thrifty.budget import (
        Budget,
        BudgetExceeded,
        InvalidInput,
        Outcome,
        Plan,
        Spend,
        Step,
        StepOption,
        ThriftyError,
    )

_HOMES = {
    "Budget": "thrifty.budget",
    "BudgetExceeded": "thrifty.budget",
    "InvalidInput": "thrifty.budget",
    "Outcome": "thrifty.budget",
    "Plan": "thrifty.budget",
    "Spend": "thrifty.budget",
    "Step": "thrifty.budget",
    "StepOption": "thrifty.budget",
    "ThriftyError": "thrifty.budget",
}

__all__ = [
    "Budget",
    "BudgetExceeded",
    "InvalidInput",
    "Outcome",
    "Plan",
    "Spend",
    "Step",
    "StepOption",
    "ThriftyError",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'thrifty' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__

"""The nouns of the library: budgets, spends, steps, plans, outcomes, and the errors.

Each is loaded when it is first used, as in `thrifty`: to plan takes half of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thrifty.budget.errors import (
        AccountClosed,
        BudgetExceeded,
        InvalidInput,
        KeyReused,
        LeaseLost,
        LedgerUnavailable,
        ModelUnavailable,
        PriceUnknown,
        ReservationClosed,
        StepEnded,
        ThriftyError,
    )
    from thrifty.budget.limits import Budget
    from thrifty.budget.option import StepOption
    from thrifty.budget.outcome import Outcome
    from thrifty.budget.plan import LeftOut, Plan
    from thrifty.budget.spend import Spend, total_spend
    from thrifty.budget.step import Step
    from thrifty.budget.step_set import check_steps, group_by_step

__all__ = [
    "AccountClosed",
    "Budget",
    "BudgetExceeded",
    "InvalidInput",
    "KeyReused",
    "LeaseLost",
    "LedgerUnavailable",
    "LeftOut",
    "ModelUnavailable",
    "Outcome",
    "Plan",
    "PriceUnknown",
    "ReservationClosed",
    "Spend",
    "Step",
    "StepEnded",
    "StepOption",
    "ThriftyError",
    "check_steps",
    "group_by_step",
    "total_spend",
]

_HOMES = {
    "Budget": "limits",
    "LeftOut": "plan",
    "Outcome": "outcome",
    "Plan": "plan",
    "Spend": "spend",
    "Step": "step",
    "StepOption": "option",
    "check_steps": "step_set",
    "group_by_step": "step_set",
    "total_spend": "spend",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'thrifty.budget' has no attribute {name!r}")
    return getattr(import_module(f"thrifty.budget.{_HOMES.get(name, 'errors')}"), name)

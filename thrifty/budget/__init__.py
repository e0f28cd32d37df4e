"""The nouns of the library: budgets, spends, steps, plans, outcomes, and the errors.

Each is loaded when it is first used, as in `thrifty`: to plan takes half of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thrifty.budget.cascade import Cascade as Cascade
    from thrifty.budget.check_result import CheckResult as CheckResult
    from thrifty.budget.errors import (
        AccountClosed as AccountClosed,
        BudgetExceeded as BudgetExceeded,
        InvalidInput as InvalidInput,
        KeyReused as KeyReused,
        LeaseLost as LeaseLost,
        LedgerUnavailable as LedgerUnavailable,
        ModelUnavailable as ModelUnavailable,
        PriceUnknown as PriceUnknown,
        ReservationClosed as ReservationClosed,
        StepEnded as StepEnded,
        ThriftyError as ThriftyError,
    )
    from thrifty.budget.limits import Budget as Budget
    from thrifty.budget.option import StepOption as StepOption
    from thrifty.budget.outcome import Outcome as Outcome
    from thrifty.budget.plan import LeftOut as LeftOut, Plan as Plan
    from thrifty.budget.spend import Spend as Spend, total_spend as total_spend
    from thrifty.budget.step import Step as Step
    from thrifty.budget.step_set import check_steps as check_steps, group_by_step as group_by_step

_NAMES = {
    "cascade": "Cascade",
    "check_result": "CheckResult",
    "errors": (
        "AccountClosed BudgetExceeded InvalidInput KeyReused LeaseLost LedgerUnavailable "
        "ModelUnavailable PriceUnknown ReservationClosed StepEnded ThriftyError"
    ),
    "limits": "Budget",
    "option": "StepOption",
    "outcome": "Outcome",
    "plan": "LeftOut Plan",
    "spend": "Spend total_spend",
    "step": "Step",
    "step_set": "check_steps group_by_step",
}
"""By module, what is public of it. Type checkers read the imports above."""
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'thrifty.budget' has no attribute {name!r}")
    return getattr(import_module(f"thrifty.budget.{_HOMES[name]}"), name)

"""The words of the trade: budgets, spends, steps, plans, outcomes, and what can be refused."""

from thrifty.budget.errors import (
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
from thrifty.budget.spend import Spend, total
from thrifty.budget.step import Step, check_steps, group

__all__ = [
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
    "group",
    "total",
]

"""thrifty: a LangGraph agent that gets the most done inside a hard budget.

These are the public names. Each is loaded when it is first used: `import thrifty` alone loads
nothing else of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thrifty.budget import (
        AccountClosed as AccountClosed,
        Budget as Budget,
        BudgetExceeded as BudgetExceeded,
        CheckResult as CheckResult,
        InvalidInput as InvalidInput,
        KeyReused as KeyReused,
        LeaseLost as LeaseLost,
        LedgerUnavailable as LedgerUnavailable,
        ModelUnavailable as ModelUnavailable,
        Outcome as Outcome,
        Plan as Plan,
        PriceUnknown as PriceUnknown,
        ReservationClosed as ReservationClosed,
        Spend as Spend,
        Step as Step,
        StepEnded as StepEnded,
        StepOption as StepOption,
        ThriftyError as ThriftyError,
    )
    from thrifty.checks.check import Check as Check
    from thrifty.estimates.history import rate as rate
    from thrifty.executors.protocol import (
        Executor as Executor,
        Result as Result,
        Work as Work,
    )
    from thrifty.graph.build import create_budget_agent as create_budget_agent
    from thrifty.graph.embed import as_node as as_node
    from thrifty.ledger.authority import authenticated_user as authenticated_user
    from thrifty.ledger.memory import MemoryLedger as MemoryLedger
    from thrifty.ledger.postgres import PostgresLedger as PostgresLedger
    from thrifty.ledger.sqlite import SqliteLedger as SqliteLedger
    from thrifty.ledger.thresholds import (
        log_threshold as log_threshold,
        post_threshold as post_threshold,
    )
    from thrifty.models.guard.middleware import BudgetMiddleware as BudgetMiddleware
    from thrifty.models.costs.hosted_uses import UseFee as UseFee
    from thrifty.models.calls.metered import metered as metered
    from thrifty.models.roles.model import Model as Model
    from thrifty.models.costs.token_price import TokenPrice as TokenPrice
    from thrifty.nodes.context import Context as Context
    from thrifty.options.recipe import (
        Recipe as Recipe,
        proposal_recipe as proposal_recipe,
        load_recipe as load_recipe,
    )
    from thrifty.planning.engines import make_plan as make_plan
    from thrifty.planning.problem import Problem as Problem
    from thrifty.receipt.receipt_data import Receipt as Receipt
    from thrifty.receipt.terminal import receipt_text as receipt_text
    from thrifty.settings import Settings as Settings

_NAMES = {
    "thrifty.budget": (
        "AccountClosed Budget BudgetExceeded CheckResult InvalidInput KeyReused LeaseLost "
        "LedgerUnavailable ModelUnavailable Outcome Plan PriceUnknown ReservationClosed "
        "Spend Step StepEnded StepOption ThriftyError"
    ),
    "thrifty.checks.check": "Check",
    "thrifty.estimates.history": "rate",
    "thrifty.executors.protocol": "Executor Result Work",
    "thrifty.graph.build": "create_budget_agent",
    "thrifty.graph.embed": "as_node",
    "thrifty.ledger.authority": "authenticated_user",
    "thrifty.ledger.memory": "MemoryLedger",
    "thrifty.ledger.postgres": "PostgresLedger",
    "thrifty.ledger.sqlite": "SqliteLedger",
    "thrifty.ledger.thresholds": "log_threshold post_threshold",
    "thrifty.models.guard.middleware": "BudgetMiddleware",
    "thrifty.models.costs.hosted_uses": "UseFee",
    "thrifty.models.calls.metered": "metered",
    "thrifty.models.roles.model": "Model",
    "thrifty.models.costs.token_price": "TokenPrice",
    "thrifty.nodes.context": "Context",
    "thrifty.options.recipe": "Recipe proposal_recipe load_recipe",
    "thrifty.planning.engines": "make_plan",
    "thrifty.planning.problem": "Problem",
    "thrifty.receipt.receipt_data": "Receipt",
    "thrifty.receipt.terminal": "receipt_text",
    "thrifty.settings": "Settings",
}
"""By module, what is public of it. Type checkers read the imports above."""
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

# What needs an extra is not imported by `from thrifty import *`, which would fail without it.
__all__ = sorted(_HOMES.keys() - {"BudgetMiddleware"})


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'thrifty' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)

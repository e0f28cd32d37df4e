"""thrifty: a LangGraph agent that gets the most done inside a hard budget.

These are the public names. Each is loaded when it is first used: `import thrifty` alone loads
nothing else of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thrifty.budget import (
        AccountClosed,
        Budget,
        BudgetExceeded,
        InvalidInput,
        KeyReused,
        LeaseLost,
        LedgerUnavailable,
        ModelUnavailable,
        Outcome,
        Plan,
        PriceUnknown,
        ReservationClosed,
        Spend,
        Step,
        StepEnded,
        StepOption,
        ThriftyError,
    )
    from thrifty.estimates.history import rate
    from thrifty.executors.protocol import Result, Work
    from thrifty.graph.build import create_budget_agent
    from thrifty.graph.embed import as_node
    from thrifty.ledger.authority import authenticated_user
    from thrifty.ledger.memory import MemoryLedger
    from thrifty.ledger.postgres import PostgresLedger
    from thrifty.ledger.sqlite import SqliteLedger
    from thrifty.models.guard.middleware import BudgetMiddleware as BudgetMiddleware
    from thrifty.models.metered import metered
    from thrifty.nodes.context import Context
    from thrifty.options.catalog import Catalog, builtin_catalog, load_catalog
    from thrifty.planning.engines import make_plan
    from thrifty.planning.problem import Problem
    from thrifty.receipt.receipt_data import Receipt
    from thrifty.settings import Settings, TokenPrice

__all__ = [
    "AccountClosed",
    "Budget",
    "BudgetExceeded",
    "Catalog",
    "Context",
    "InvalidInput",
    "KeyReused",
    "LeaseLost",
    "LedgerUnavailable",
    "MemoryLedger",
    "ModelUnavailable",
    "Outcome",
    "Plan",
    "PostgresLedger",
    "PriceUnknown",
    "Problem",
    "Receipt",
    "ReservationClosed",
    "Result",
    "Settings",
    "Spend",
    "SqliteLedger",
    "Step",
    "StepEnded",
    "StepOption",
    "ThriftyError",
    "TokenPrice",
    "Work",
    "as_node",
    "authenticated_user",
    "builtin_catalog",
    "create_budget_agent",
    "load_catalog",
    "make_plan",
    "metered",
    "rate",
]

_EXTRAS = ("BudgetMiddleware",)
"""Need an extra, so that `from thrifty import *` leaves them out."""

_HOMES = {
    "BudgetMiddleware": "thrifty.models.guard.middleware",
    "Catalog": "thrifty.options.catalog",
    "Context": "thrifty.nodes.context",
    "MemoryLedger": "thrifty.ledger.memory",
    "PostgresLedger": "thrifty.ledger.postgres",
    "SqliteLedger": "thrifty.ledger.sqlite",
    "Problem": "thrifty.planning.problem",
    "Receipt": "thrifty.receipt.receipt_data",
    "Result": "thrifty.executors.protocol",
    "Settings": "thrifty.settings",
    "TokenPrice": "thrifty.settings",
    "Work": "thrifty.executors.protocol",
    "as_node": "thrifty.graph.embed",
    "authenticated_user": "thrifty.ledger.authority",
    "builtin_catalog": "thrifty.options.catalog",
    "create_budget_agent": "thrifty.graph.build",
    "load_catalog": "thrifty.options.catalog",
    "make_plan": "thrifty.planning.engines",
    "metered": "thrifty.models.metered",
    "rate": "thrifty.estimates.history",
}


def __getattr__(name: str) -> Any:
    if name not in (*__all__, *_EXTRAS):
        raise AttributeError(f"module 'thrifty' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "thrifty.budget")), name)


def __dir__() -> list[str]:
    return sorted((*__all__, *_EXTRAS))

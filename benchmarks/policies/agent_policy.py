"""All of thrifty: the compiled graph with its ledger, whose models are drawn from a world."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from benchmarks.policies.drifting_world import PRICES, STEPS, WorldRun
from benchmarks.policies.simple_policies import PolicyResult
from thrifty.budget import Outcome
from thrifty.graph.agent import BudgetAgent
from thrifty.graph.build import create_budget_agent
from thrifty.ledger.idempotent_calls import call_key
from thrifty.receipt.receipt_data import Receipt
from thrifty.run.assignment import ExecutorInput, assigned_option, reserved_for, step_key
from thrifty.run.services import Services
from thrifty.settings import Settings

UNREACHABLE_URL = "http://127.0.0.1:9/v1"
SETTINGS = Settings(
    base_url=UNREACHABLE_URL, api="chat", prices=PRICES, models={name: name for name in PRICES}
)
CONTEXT = {"propose_options": False, "max_steps": STEPS}


class AgentPolicy:
    """The agent of one world."""

    def __init__(self, runs: Sequence[WorldRun], **given: Any) -> None:
        self._bills = WorldBills(runs[0])
        with _patch_models(self._bills):
            self._agent: BudgetAgent = create_budget_agent(
                catalog=runs[0].steps, settings=SETTINGS, **given
            )

    def run(self, run: WorldRun) -> PolicyResult:
        """Does one run; a text that was cut at its cap brings nothing."""
        self._bills.run = run
        asked: Any = {"task": "x", "budget": run.budget.to_state(), "run_id": f"run {run.number}"}
        receipt = Receipt.from_state(self._agent.invoke(asked, context=CONTEXT)["receipt"])
        value = sum(line.value for line in receipt.lines if line.status == "done")
        return PolicyResult(value, receipt.spent, not receipt.within_budget)


class WorldBills:
    """Stands where `run_llm` does: writes nothing, and uses what the world says, up to the cap."""

    def __init__(self, run: WorldRun) -> None:
        self.run = run

    def __call__(self, state: ExecutorInput, *, run_id: str, services: Services) -> dict[str, Any]:
        option = assigned_option(state, run_id, services)
        reserved = reserved_for(option, run_id, services)
        assert reserved is not None, "route reserves before it assigns"
        wanted = self.run.actual[option.name]
        is_cut = wanted.tokens > reserved.tokens
        actual = reserved if is_cut else wanted
        account, key = services.account(run_id), call_key(step_key(option, services), 1)
        services.ledger.mark_sent(account, key)
        services.ledger.settle(account, key, actual, "text")
        outcome = Outcome(option, "cut" if is_cut else "done", "text", actual)
        return {"outcomes": [outcome.to_state()]}


@contextmanager
def _patch_models(bills: WorldBills) -> Iterator[None]:
    def run_llm(state: ExecutorInput, *, run_id: str, services: Services) -> dict[str, Any]:
        return bills(state, run_id=run_id, services=services)

    with patch("thrifty.graph.build.run_llm", run_llm):
        yield

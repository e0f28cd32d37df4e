"""An agent at a loopback server, and what the ledger and the server say of a run."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.harness.llm_server import Answer, LLMServer
from thrifty import MemoryLedger, Receipt, Settings, create_budget_agent
from thrifty.graph.agent import BudgetAgent

TASK = (
    "Draft a 1-page project proposal for a logistics dashboard + fleet optimization pilot, "
    "including scope, timeline, and risks."
)
EDITOR = "You are the editor"
"""In the prompt for the revision, which has to keep every heading of its draft."""
HEADINGS = ("Clarify deliverables", "Outline plan", "Risk register", "Timeline")
BETTER = " ".join(f"Said in {count} words." for count in range(30))
REVISED = "\n\n".join(f"## {heading}\n\n{BETTER}" for heading in HEADINGS)
TUTORIAL_BUDGET = {"max_tokens": 2200, "max_latency_ms": 60_000, "max_tool_calls": 2}
"""The tutorial's, but for its 3.5 s: a machine that others use may need longer for a call."""

MakeAgent = Callable[..., BudgetAgent]


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        running.script(Answer(REVISED, when=EDITOR, times=None))
        yield running


@pytest.fixture
def online(server: LLMServer, ledger: MemoryLedger) -> MakeAgent:
    """Makes agents whose models are the loopback server, and who follow `proposal` by default."""

    def make(api: str = "chat", models: Any = None, **given: Any) -> BudgetAgent:
        settings = Settings("sk-test", server.base_url, api, models=models or {})
        given = {"catalog": "proposal", **given}
        return create_budget_agent(settings=settings, **{"ledger": ledger, **given})

    return make


@pytest.fixture
def offline(ledger: MemoryLedger) -> MakeAgent:
    """Makes agents that no model answers, and who follow `proposal` by default."""

    def make(**given: Any) -> BudgetAgent:
        given = {"ledger": ledger, "catalog": "proposal", **given}
        return create_budget_agent(settings=Settings(), **given)

    return make


def receipt_of(result: dict[str, Any]) -> Receipt:
    return Receipt.from_state(result["receipt"])


def decisions_of(result: dict[str, Any], kind: str) -> list[str]:
    return [d.reason for d in receipt_of(result).decisions if d.kind == kind]

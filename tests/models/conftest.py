"""A metered model at a loopback server, and what ledger and server say of its calls."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.harness.llm_server import LLMServer
from tests.models.vendors.anthropic import client as claude
from tests.models.vendors.openai import client
from thrifty import Budget, MemoryLedger, metered
from thrifty.models.calls.metered_model import MeteredChatModel

ACCOUNT = "team"

Make = Callable[..., MeteredChatModel]


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


@pytest.fixture
def make(server: LLMServer, ledger: MemoryLedger) -> Make:
    """Makes metered models that spend from one account."""

    def make(
        budget: Budget = Budget(max_tokens=10_000),  # noqa: B008 - frozen
        api: str = "chat",
        model: str = "gpt-4o",
        options: dict[str, Any] | None = None,
        **terms: Any,
    ) -> MeteredChatModel:
        ledger.open(ACCOUNT, budget)
        return metered(client(server, api, model, **(options or {})), ledger, ACCOUNT, **terms)

    return make


def entries(ledger: MemoryLedger) -> list[Any]:
    return list(ledger.entries(ACCOUNT))


@pytest.fixture
def make_claude(server: LLMServer, ledger: MemoryLedger) -> Make:
    """Makes metered models of Anthropic's that spend from one account."""

    def make(
        budget: Budget = Budget(max_tokens=10_000),  # noqa: B008 - frozen
        options: dict[str, Any] | None = None,
        **terms: Any,
    ) -> MeteredChatModel:
        ledger.open(ACCOUNT, budget)
        return metered(claude(server, **(options or {})), ledger, ACCOUNT, **terms)

    return make

"""Agents at the real model's server, and that server's own count of what a test has used."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REAL_HOSTS
from tests.real_model.model_server import ModelServer, Used
from tests.real_model.serve import NAME
from thrifty import MemoryLedger, Model, Settings, TokenPrice, create_budget_agent
from thrifty.graph.agent import BudgetAgent
from thrifty.models.costs import input_bound

PRICE = TokenPrice(0.1, 0.4)
SHORT_TOKENS = 16
"""No answer of the role `short` is longer."""
PARIS = "What is the capital of France? Answer in one sentence."

MakeAgent = Callable[..., BudgetAgent]
UsedNow = Callable[[], Used]


@pytest.fixture(scope="session")
def model_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModelServer]:
    python = Path(request.config.getoption("real_model")).absolute()
    with ModelServer(python, tmp_path_factory.mktemp("model")) as running:
        yield running


@pytest.fixture(autouse=True)
def _unknown_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows how this server counts: other tests have one here that counts as OpenAI does."""
    monkeypatch.setattr(input_bound, "OPENAI_HOSTS", REAL_HOSTS)


@pytest.fixture
def used(model_server: ModelServer) -> UsedNow:
    """What the server has used since the test began, as it counts."""
    model_server.wait_until_idle()
    before = model_server.used()
    return lambda: model_server.used() - before


@pytest.fixture
def answering(model_server: ModelServer, ledger: MemoryLedger) -> MakeAgent:
    """Makes agents with the model as `strong`."""

    def make(*, model: Any = None, **given: Any) -> BudgetAgent:
        asked = model or Model(NAME, base_url=model_server.base_url, price=PRICE)
        settings = Settings(models={"strong": asked}, prices={NAME: PRICE})
        return create_budget_agent(settings=settings, ledger=ledger, **given)

    return make


@pytest.fixture
def short(model_server: ModelServer) -> Any:
    """A chat model of LangChain's that answers in a few tokens."""
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(
        model=NAME,
        base_url=model_server.base_url,
        api_key="none",
        max_completion_tokens=SHORT_TOKENS,
    )


def cost_nano_usd(used: Used) -> int:
    """What that comes to at the price above."""
    return used.input_tokens * 100 + used.output_tokens * 400

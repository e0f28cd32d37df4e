"""A small model that writes junk, and a better one that is asked where that fits."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.graph.conftest import decisions_of, receipt_of
from tests.harness.llm_server import Answer, LLMServer
from tests.real_model.conftest import PRICE
from tests.real_model.model_server import ModelServer
from tests.real_model.serve import NAME
from thrifty import MemoryLedger, Model, Settings, TokenPrice, create_budget_agent

TASK = "Write a long poem about the sea, the wind and the boats."
POEM = "\n".join(
    (
        "The sea comes in, the sea goes out,",
        "the boats lean over in the wind,",
        "and who has watched it eighty years",
        "still asks where all of it begins.",
    )
)
DEAR = TokenPrice(input_usd=10, output_usd=30)


@pytest.fixture
def strong() -> Iterator[LLMServer]:
    with LLMServer() as running:
        running.script(Answer(POEM, times=None))
        yield running


@pytest.fixture
def poet(
    model_server: ModelServer, strong: LLMServer, ledger: MemoryLedger
) -> Callable[[float], dict[str, Any]]:
    """Asks for the poem within so many dollars and tokens."""

    def ask(usd: float, tokens: int) -> dict[str, Any]:
        models = {
            "cheap": Model(NAME, base_url=model_server.base_url, price=PRICE),
            "strong": Model("gpt-4.1", base_url=strong.base_url, price=DEAR),
        }
        agent = create_budget_agent(settings=Settings(models=models), ledger=ledger)
        return agent.invoke({"task": TASK, "budget": {"max_cost_usd": usd, "max_tokens": tokens}})

    return ask


def test_its_junk_is_seen_and_the_better_one_is_asked(poet, strong):
    result = poet(0.013, 2_400)
    assert result["answer"] == POEM
    assert len(strong.requests) == 1
    receipt = receipt_of(result)
    junk, poem = (line for line in receipt.lines if line.label.startswith("Answer"))
    assert junk.label == "Answer (cheap)"
    assert junk.reason.startswith("'Answer (strong)' took its place; failed the check 'repeated")
    assert junk.actual.tokens > 0
    assert (poem.label, poem.status) == ("Answer (strong)", "done")
    assert "failed the check 'repeated text'" in decisions_of(result, "escalate")[0]
    assert receipt.within_budget
    assert junk.actual.tokens + poem.actual.tokens == receipt.spent.tokens


def test_where_the_better_one_does_not_fit_the_receipt_says_that_the_check_failed(poet, strong):
    result = poet(0.002, 600)
    assert not strong.requests
    assert "Abele" in result["answer"]
    assert any("failed the check 'repeated text'" in told for told in receipt_of(result).warnings)

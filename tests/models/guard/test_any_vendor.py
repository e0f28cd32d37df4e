"""Whoever makes a model, an agent's calls of it are held, at the prices of its own vendor."""

import logging
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from tests.harness.llm_server import Answer
from tests.models.conftest import ACCOUNT, claude, entries
from thrifty import Budget, BudgetMiddleware, PriceUnknown, Spend, TokenPrice
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.costs.prices import PriceList
from thrifty.models.guard.callback_guard import guard_calls
from thrifty.models.guard.unmetered_agent import warn_of_unmetered
from thrifty.models.providers.listed_as import LISTED_AS, listed_as

ASK = {"messages": [HumanMessage("What is tea?")]}
IN, OUT = 10, 20


class OfNobody(BaseChatModel):
    """A model of a class that nobody knows: only the metadata of its calls says who it is."""

    vendor: str
    name_there: str
    cap: int | None = 50
    asked: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "of-nobody"

    def _get_ls_params(self, stop: Any = None, **options: Any) -> Any:
        told = {"ls_provider": self.vendor, "ls_model_name": self.name_there}
        return {**told, "ls_max_tokens": self.cap} if self.cap else told

    def _get_invocation_params(self, stop: Any = None, **options: Any) -> dict[str, Any]:
        return {}

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **options: Any):
        self.asked.append(messages[-1].text)
        usage = {"input_tokens": IN, "output_tokens": OUT, "total_tokens": IN + OUT}
        answer = AIMessage("Leaves.", usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=answer)])


@pytest.mark.parametrize("terms", [{}, {"max_output_tokens": 77}])
def test_a_default_claude_answers_on_five_cents(server, ledger, terms):
    """Its own cap, of 64,000 tokens, would cost 32 cents."""
    ledger.open(ACCOUNT, Budget(max_cost_usd=0.05))
    agent = create_agent(
        claude(server), [], middleware=[BudgetMiddleware(ledger, ACCOUNT, **terms)]
    )
    server.script(Answer("Leaves."))
    assert agent.invoke(ASK)["messages"][-1].text == "Leaves."
    (request,) = server.requests
    assert request.output_cap == terms.get("max_output_tokens", request.output_cap)
    assert 0 < request.output_cap <= 10_000
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


VENDORS = [
    ("groq", "llama-3.3-70b-versatile", 590, 790),
    ("amazon_bedrock", "anthropic.claude-3-haiku-20240307-v1:0", 250, 1_250),
    ("anthropic", "claude-haiku-4-5", 1_000, 5_000),
    ("google_genai", "models/gemini-2.5-flash", 300, 2_500),
]


@pytest.mark.parametrize(("vendor", "name", "input_nano", "output_nano"), VENDORS)
def test_a_call_that_is_not_metered_has_the_price_of_its_vendor(
    ledger, vendor, name, input_nano, output_nano
):
    ledger.open(ACCOUNT, Budget(max_cost_usd=0.05))
    model = OfNobody(vendor=vendor, name_there=name)
    agent = create_agent(model, [], middleware=[BudgetMiddleware(ledger, ACCOUNT)])
    assert agent.invoke(ASK)["messages"][-1].text == "Leaves."
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == IN * input_nano + OUT * output_nano
    assert entry.reserved.cost_nano_usd < 1_000_000  # the cap that it tells of, and not all


def test_claude_in_an_executor_has_the_price_of_anthropic(server):
    step = StepAccount(Budget(max_cost_usd=0.05, max_tokens=9_000))
    with guard_calls(step, PriceList({})):
        claude(server, max_tokens=50).invoke("What is tea?")
    bill = server.bill
    assert (
        step.bill(Spend()).cost_nano_usd == bill.input_tokens * 1_000 + bill.output_tokens * 5_000
    )


def test_a_vendor_that_the_list_does_not_have_lends_no_other_ones_price(ledger):
    """The name alone would be a model of OpenAI's."""
    ledger.open(ACCOUNT, Budget(max_cost_usd=0.05))
    model = OfNobody(vendor="nobodys", name_there="gpt-4o")
    held = BudgetMiddleware(ledger, ACCOUNT)
    last = create_agent(model, [], middleware=[held]).invoke(ASK)["messages"][-1]
    assert last.response_metadata["thrifty"] == {"error": PriceUnknown.__name__}
    assert "no price is known for model 'gpt-4o'" in last.text
    assert model.asked == []
    assert ledger.balance(ACCOUNT).spent == Spend()
    priced = BudgetMiddleware(ledger, ACCOUNT, prices={"gpt-4o": TokenPrice(1, 2)})
    create_agent(model, [], middleware=[priced]).invoke(ASK)
    assert ledger.balance(ACCOUNT).spent.cost_nano_usd == IN * 1_000 + OUT * 2_000


def test_without_a_limit_on_money_no_price_is_needed(ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=500))
    model = OfNobody(vendor="nobodys", name_there="gpt-4o")
    create_agent(model, [], middleware=[BudgetMiddleware(ledger, ACCOUNT)]).invoke(ASK)
    spent = ledger.balance(ACCOUNT).spent
    assert (spent.tokens, spent.cost_nano_usd, spent.tool_calls) == (IN + OUT, 0, 1)


def test_of_a_class_that_nobody_knows_one_warning_says_what_holds_it(ledger, caplog):
    ledger.open(ACCOUNT, Budget(max_tokens=5_000))
    warn_of_unmetered.cache_clear()
    agent = create_agent(
        OfNobody(vendor="nobodys", name_there="m"),
        [],
        middleware=[BudgetMiddleware(ledger, ACCOUNT)],
    )
    with caplog.at_level(logging.WARNING, "thrifty"):
        agent.invoke(ASK)
        agent.invoke(ASK)
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith("OfNobody has no field for a cap that thrifty could set: ")


def test_each_vendor_of_the_table_has_prices():
    from genai_prices.data_snapshot import get_snapshot

    listed = {provider.id for provider in get_snapshot().providers} | {"litellm"}
    assert set(LISTED_AS.values()) <= listed
    assert listed_as("Nobodys") == ""

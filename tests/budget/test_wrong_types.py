"""Objects of the wrong kind are refused where they are handed over, with the field's name."""

from decimal import Decimal

import pytest
from langchain_openai import ChatOpenAI

from thrifty import (
    Budget,
    BudgetMiddleware,
    InvalidInput,
    MemoryLedger,
    Problem,
    Settings,
    Spend,
    SqliteLedger,
    Step,
    StepOption,
    TokenPrice,
    create_budget_agent,
    metered,
)


def option(**given: object) -> StepOption:
    return StepOption(**{
        "name": "A", "step": "A", "executor": "llm", "description": "d", "estimate": Spend(1),
        "value": 1.0, **given,
    })  # fmt: skip


def step(**given: object) -> Step:
    return Step(**{"name": "A", "options": (option(),), **given})


def problem(**given: object) -> Problem:
    return Problem(**{"steps": (step(),), "left": Budget(), **given})


def model() -> ChatOpenAI:
    return ChatOpenAI(model="gpt-5", api_key="none")


def ledger() -> MemoryLedger:
    books = MemoryLedger()
    books.open("team", Budget(max_tokens=10))
    return books


def metering(**terms: object) -> object:
    return metered(model(), ledger(), "team", **terms)


def middleware(**terms: object) -> object:
    return BudgetMiddleware(ledger(), "team", **terms)


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("option 'A'.estimate", lambda: option(estimate=None)),
        ("option 'A'.estimate", lambda: option(estimate={"tokens": 5})),
        ("option 'A'.payload", lambda: option(payload="outline")),
        ("step 'A'.options", lambda: step(options=option())),
        ("step 'A'.options", lambda: step(options=("x",))),
        ("step 'A'.requires", lambda: step(requires="Facts")),
        ("step 'A'.requires", lambda: step(requires=None)),
        ("step 'A'.required", lambda: step(required="yes")),
        ("step 'A'.topic", lambda: step(topic=5)),
        ("left", lambda: problem(left={"max_tokens": 5})),
        ("spent", lambda: problem(spent={"tokens": 5})),
        ("kept_back", lambda: problem(kept_back=None)),
        ("done", lambda: problem(done=("S",))),
        ("steps", lambda: problem(steps=step())),
        ("residuals", lambda: problem(residuals=None)),
        ("budget", lambda: create_budget_agent(budget={"max_tokens": 5})),
        ("settings", lambda: create_budget_agent(settings={})),
        ("ledger", lambda: create_budget_agent(ledger="x.sqlite")),
        ("account", lambda: create_budget_agent(account=5)),
        ("base_url", lambda: Settings(base_url=5)),
        ("prices", lambda: Settings(prices=5)),
        ("prices.m", lambda: Settings(prices={"m": 1.5})),
        ("input_usd", lambda: TokenPrice("1", 2)),
        ("output_usd", lambda: TokenPrice(1, -2)),
        ("output_usd", lambda: TokenPrice(1, float("nan"))),
        ("input_usd", lambda: TokenPrice(None, 1)),
        ("input_usd", lambda: TokenPrice(Decimal("nan"), 1)),
        ("synchronous", lambda: SqliteLedger("x.sqlite", synchronous="FUL")),
        ("path", lambda: SqliteLedger(None)),
        ("max_output_tokens", lambda: metering(max_output_tokens=5)),
        ("max_output_tokens", lambda: metering(max_output_tokens=100, useful_tokens=200)),
        ("attempts_max", lambda: metering(attempts_max=0)),
        ("patience_ms", lambda: metering(patience_ms="x")),
        ("hold_quantile", lambda: metering(hold_quantile="x")),
        ("tokens_per_attachment", lambda: metering(tokens_per_attachment=-1)),
        ("prices.m", lambda: metering(prices={"m": 5})),
        ("cap_field", lambda: metering(cap_field="most")),
        ("metered.max_output_token", lambda: middleware(max_output_token=50)),
        ("tools.search", lambda: middleware(tools={"search": 5})),
    ],
)
def test_it_is_refused_by_its_name(field, make):
    with pytest.raises(InvalidInput) as refused:
        make()
    assert refused.value.field == field
    assert refused.value.remedy


def test_a_price_may_be_written_as_people_write_it():
    assert TokenPrice(0.1, 2) == TokenPrice(Decimal("0.1"), Decimal(2))

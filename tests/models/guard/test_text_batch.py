"""Texts that are completed in one request are counted once, whichever of them has the count."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import FakeListLLM
from langchain_openai import OpenAI

from tests.harness.llm_server import Answer, MissingUsage, ServerError
from thrifty import Budget, BudgetExceeded, Spend
from thrifty.budget import total_spend
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.costs.prices import PriceList
from thrifty.models.guard.callback_guard import guard_calls
from thrifty.models.guard.text_batch import share_out

LISTED = PriceList({})
MONEY = Budget(max_tokens=2_000, max_cost_usd=0.05)
PROMPTS = ["Tea or coffee?", "Say when.", "And why is that so?"]
WAYS = {
    "batch": lambda model, prompts: model.batch(prompts),
    "abatch": lambda model, prompts: asyncio.run(model.abatch(prompts)),
    "generate": lambda model, prompts: model.generate(prompts),
}


def completing(server, **options):
    return OpenAI(
        model="gpt-3.5-turbo-instruct",
        base_url=server.base_url,
        api_key="none",
        max_retries=0,
        default_headers={"Connection": "close"},
        **options,
    )


def entries(step):
    return step.ledger.entries(step.account)


@pytest.mark.parametrize("way", WAYS)
def test_a_batch_is_charged_what_its_request_was(server, way):
    server.script(Answer(tokens=50))
    step = StepAccount(MONEY)
    with guard_calls(step, LISTED):
        WAYS[way](completing(server, max_tokens=60), PROMPTS)
    (request,) = server.requests
    charged = step.bill(Spend())
    assert charged.tokens == request.bill.total_tokens
    # gpt-3.5-turbo-instruct, dollars a million tokens: 1.50 in, 2 out.
    cost = request.bill.input_tokens * 1_500 + request.bill.output_tokens * 2_000
    assert charged.cost_nano_usd == cost
    assert charged.tool_calls == len(PROMPTS)
    assert [entry.status for entry in entries(step)] == ["settled"] * 3
    assert not any(entry.is_overrun for entry in entries(step))
    assert not step.ledger.balance(step.account).reserved.tokens


def test_what_is_more_than_all_held_is_an_overrun(server):
    server.script(Answer(tokens=5_000))
    step = StepAccount(Budget(max_tokens=3_000))
    with guard_calls(step, LISTED):
        completing(server, max_tokens=900).generate(PROMPTS)
        completing(server, max_tokens=30).generate(PROMPTS[:1])
    assert step.bill(Spend()).tokens == server.bill.total_tokens
    assert not any(entry.is_overrun for entry in entries(step))


@pytest.mark.parametrize("way", WAYS)
def test_a_batch_without_a_count_is_charged_in_full(server, way):
    server.script(MissingUsage())
    step = StepAccount(MONEY)
    with guard_calls(step, LISTED), pytest.raises(TypeError):  # by OpenAI's own client
        WAYS[way](completing(server, max_tokens=60), PROMPTS)
    assert [entry.status for entry in entries(step)] == ["in_doubt"] * 3


@pytest.mark.parametrize("way", WAYS)
def test_a_batch_that_fails_is_charged_in_full(server, way):
    server.script(ServerError())
    step = StepAccount(MONEY)
    with guard_calls(step, LISTED), pytest.raises(Exception, match="500"):
        WAYS[way](completing(server, max_tokens=60), PROMPTS)
    assert [entry.status for entry in entries(step)] == ["in_doubt"] * 3


def test_of_a_batch_that_does_not_fit_nothing_is_charged(server):
    step = StepAccount(Budget(max_tokens=200))
    with guard_calls(step, LISTED), pytest.raises(BudgetExceeded):
        completing(server, max_tokens=60).generate(PROMPTS)
    assert not server.requests
    assert step.bill(Spend()) == Spend()
    assert not step.ledger.balance(step.account).reserved.tokens


def test_one_batch_after_the_other_is_counted_by_itself(server):
    step = StepAccount(MONEY)
    model = completing(server, max_tokens=60)
    with guard_calls(step, LISTED):
        for _ in range(2):
            model.generate(PROMPTS)
    assert len(server.requests) == 2
    assert step.bill(Spend()).tokens == server.bill.total_tokens


def test_a_model_that_counts_nothing_is_charged_in_full(server):
    step = StepAccount(Budget(max_tool_calls=10))
    with guard_calls(step, LISTED):
        FakeListLLM(responses=["a", "b", "c"]).generate(PROMPTS)
    assert {entry.status for entry in entries(step)} == {"in_doubt"}


AMOUNTS = st.integers(0, 100)
SPENDS = st.builds(Spend, AMOUNTS, AMOUNTS)


@given(st.lists(SPENDS, min_size=1, max_size=5), SPENDS)
def test_shares_are_the_whole_and_none_but_the_last_is_over(held, total):
    shares = list(share_out(total, held))
    summed = total_spend(shares)
    assert (summed.tokens, summed.cost_nano_usd) == (total.tokens, total.cost_nano_usd)
    assert summed.tool_calls == len(held)
    for share, its in zip(shares[:-1], held, strict=False):
        assert share.tokens <= its.tokens
        assert share.cost_nano_usd <= its.cost_nano_usd
    if total.tokens <= total_spend(held).tokens:
        assert shares[-1].tokens <= held[-1].tokens

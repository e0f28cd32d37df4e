"""LangChain's cache: what comes from it costs nothing, and no half answer gets into it."""

import asyncio
import json

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.runnables import RunnableLambda

from tests.harness.llm_server import Answer, MissingUsage
from tests.models.conftest import ACCOUNT, client, entries
from tests.models.ways import WAYS, collected
from thrifty import Budget, Spend
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.calls.whole_answers import DERIVED_CAP
from thrifty.models.costs.prices import PriceList
from thrifty.models.guard.callback_guard import guard_calls

ASKED = "Tea or coffee?"
CACHED = {way: WAYS[way] for way in ("invoke", "ainvoke", "batch", "abatch")}
SMALL = Budget(max_tokens=250)


async def implicitly_streamed(model, said):
    """As an agent's node is asked, whose graph is streamed."""
    chain = RunnableLambda(model.ainvoke)
    return [event async for event in chain.astream_events(said, version="v2")]


@pytest.fixture(autouse=True)
def cache():
    kept = InMemoryCache()
    set_llm_cache(kept)
    yield kept
    set_llm_cache(None)


@pytest.mark.parametrize("way", CACHED)
def test_an_answer_from_the_cache_costs_other_code_nothing(server, api, way):
    server.script(Answer("Tea."))
    model = client(server, api, max_tokens=60, default_headers={"Connection": "close"})
    first, second = StepAccount(Budget(max_cost_usd=0.01)), StepAccount(Budget(max_cost_usd=0.01))
    with guard_calls(first, PriceList({})):
        CACHED[way](model, ASKED)
    with guard_calls(second, PriceList({})):
        assert CACHED[way](model, ASKED).text == "Tea."
    assert len(server.requests) == 1
    assert first.bill(Spend()).tokens == server.bill.total_tokens
    assert second.bill(Spend()) == Spend()
    assert second.left == Budget(max_cost_usd=0.01)


@pytest.mark.parametrize("way", CACHED)
def test_an_answer_from_the_cache_costs_a_metered_model_nothing(make, server, ledger, api, way):
    server.script(Answer("Tea."))
    model = make(Budget(max_tokens=10_000), api, max_output_tokens=100)
    for _ in range(2):
        assert CACHED[way](model, ASKED).text == "Tea."
    assert len(server.requests) == len(entries(ledger)) == 1
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


@pytest.mark.parametrize("way", CACHED)
@pytest.mark.parametrize("fault", [Answer, MissingUsage])
def test_what_was_cut_at_a_derived_cap_is_not_kept(make, server, ledger, api, way, fault, cache):
    long = Answer(tokens=400)
    server.script(long if fault is Answer else MissingUsage(answer=long), Answer("Tea."))
    model = make(SMALL, api)
    cut = CACHED[way](model, ASKED)
    assert cut.response_metadata[DERIVED_CAP] == server.requests[0].output_cap < 400
    assert not cache._cache
    ledger.set_limits(ACCOUNT, Budget(max_tokens=10_000))
    assert CACHED[way](model, ASKED).text == "Tea."
    assert len(server.requests) == 2


@pytest.mark.parametrize("way", CACHED)
def test_what_was_cut_at_a_cap_of_ones_own_is_kept(make, server, api, way):
    server.script(Answer(tokens=400))
    model = make(Budget(max_tokens=10_000), api, max_output_tokens=50)
    answers = [CACHED[way](model, ASKED) for _ in range(2)]
    assert answers[0].text == answers[1].text
    assert DERIVED_CAP not in answers[0].response_metadata
    assert len(server.requests) == 1


def test_a_whole_answer_under_a_derived_cap_is_kept(make, server, api):
    server.script(Answer("Tea."))
    model = make(SMALL, api)
    for _ in range(2):
        assert model.invoke(ASKED).text == "Tea."
    assert len(server.requests) == 1


def test_what_was_cut_while_a_graph_was_streamed_is_not_kept(make, server, api, cache):
    server.script(Answer(tokens=400))
    asyncio.run(implicitly_streamed(make(SMALL, api), ASKED))
    assert server.requests[0].stream
    assert not cache._cache


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_a_stream_says_at_its_end_that_it_was_cut(make, server, ledger, api, way):
    server.script(Answer(tokens=400))
    model = make(SMALL, api)
    if way == "stream":
        pieces = list(model.stream(ASKED))
    else:
        pieces = asyncio.run(collected(model.astream(ASKED)))
    whole = sum(pieces[1:], pieces[0])
    cap = server.requests[0].output_cap
    assert whole.response_metadata[DERIVED_CAP] == cap
    assert whole.usage_metadata["output_tokens"] == cap
    (entry,) = entries(ledger)
    assert json.loads(entry.answer)["response_metadata"][DERIVED_CAP] == cap


def test_a_cache_that_is_cleared_is_empty(make, server, cache):
    server.script(Answer("Tea.", times=None))
    model = make(Budget(max_tokens=10_000), max_output_tokens=50)
    model.invoke(ASKED)
    model._caching_whole_answers().cache.clear()
    assert not cache._cache

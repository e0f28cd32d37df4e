"""A metered model in trouble: faults, deadlines, people who leave, many at once, starting again."""

import asyncio
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool

from tests.harness.llm_server import (
    Answer,
    EndlessStream,
    Hang,
    LLMServer,
    LongAnswer,
    MalformedJson,
    MissingUsage,
    Reset,
    ResetMidAnswer,
    ServerError,
    ToolCall,
    TooManyRequests,
    TruncatedStream,
)
from tests.long_cases import long_but
from tests.models.conftest import ACCOUNT, client, entries
from tests.models.ways import EVERY_WAY, WAYS
from thrifty import (
    Budget,
    BudgetExceeded,
    MemoryLedger,
    ModelUnavailable,
    Spend,
    SqliteLedger,
    ThriftyError,
    metered,
)
from thrifty.models.costs.prices import most_affordable


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_retry_has_a_reservation_of_its_own(make, server, ledger, api, way):
    server.script(ServerError(), Answer("Tea."))
    assert WAYS[way](make(Budget(max_tokens=9000), api, max_output_tokens=500), "Hi").text == "Tea."
    assert [entry.status for entry in entries(ledger)] == ["in_doubt", "settled"]
    assert ledger.balance(ACCOUNT).spent.tokens >= server.bill.total_tokens


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_retry_that_no_longer_fits_is_not_made(make, server, ledger, api, way):
    server.script(ServerError())
    with pytest.raises(ModelUnavailable, match=r"the server failed \(500\)"):
        WAYS[way](make(Budget(max_tokens=500), api), "Hi")
    assert len(server.requests) == 1
    assert ledger.balance(ACCOUNT).spent.tokens == 500


def test_nobody_waits_longer_than_there_is_time(make, server, ledger):
    server.script(TooManyRequests(retry_after_s=3_600))
    with pytest.raises(ModelUnavailable, match="429"):  # within an hour, or pytest ends it
        make(Budget(max_tokens=500, max_latency_ms=120_000)).invoke("Hi")
    assert ledger.balance(ACCOUNT).spent == Spend()


def test_a_stream_of_which_pieces_were_seen_is_not_begun_again(make, server, ledger, api):
    server.script(ResetMidAnswer(answer=Answer(tokens=200)), Answer("Second."))
    pieces = make(Budget(max_tokens=9000), api, max_output_tokens=300).stream("Hi")
    next(pieces)
    with pytest.raises(ModelUnavailable, match="lost"):
        list(pieces)
    assert len(server.requests) == 1


def wait_until(holds) -> None:
    give_up_at = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def test_a_stream_that_is_left_is_charged_in_full_and_its_connection_closed(
    make, server, ledger, api
):
    server.script(EndlessStream())
    pieces = make(Budget(max_tokens=900), api).stream("Hi")
    next(pieces)
    pieces.close()
    (entry,) = entries(ledger)
    assert (entry.status, entry.charged.tokens) == ("in_doubt", 900)
    server.wait_for(1, ended=True)
    assert not server.requests[0].completed


@pytest.mark.parametrize("leaving", ["break", "cancel"])
def test_an_async_stream_that_is_left_is_charged_in_full(make, server, ledger, api, leaving):
    server.script(EndlessStream())
    model = make(Budget(max_tokens=900), api)

    async def main():
        streams = asyncio.Event()

        async def leave():
            async for _ in model.astream("Hi"):
                streams.set()
                if leaving == "break":
                    break
                await asyncio.sleep(3_600)

        task = asyncio.ensure_future(leave())
        await streams.wait()
        if leaving == "cancel":
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(main())
    wait_until(lambda: entries(ledger)[0].status == "in_doubt")
    server.wait_for(1, ended=True)


def test_a_call_that_is_cancelled_is_charged_in_full_at_once(make, server, ledger, api):
    server.script(Hang())
    model = make(Budget(max_tokens=900), api)

    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await model.ainvoke("Hi")
        return entries(ledger)[0].status

    assert asyncio.run(main()) == "in_doubt"
    server.wait_for(1, ended=True)


def test_a_stream_whose_answer_had_come_before_it_was_left_is_settled(make, server, ledger):
    server.script(Answer("One two three.", chunk_tokens=1))
    pieces = make(Budget(max_tokens=900)).stream("Hi")
    next(pieces)
    wait_until(lambda: entries(ledger)[0].status == "settled")
    pieces.close()
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


def test_a_program_that_starts_again_is_given_what_it_has_paid_for(server, tmp_path, api):
    asked = ["Tea?", "Coffee?", "Tea?", "Water?"]
    budget = Budget(max_tokens=4000, max_cost_usd=0.05)

    def run(questions, way, name="morning"):
        ledger = SqliteLedger(tmp_path / "books.sqlite")
        ledger.open("a", budget)
        model = metered(client(server, api), ledger, "a", run=name, max_output_tokens=60)
        return [WAYS[way](model, question) for question in questions]

    first = run(asked, "invoke")
    paid = server.bill
    again = run(list(reversed(asked)), "astream")
    assert server.bill == paid
    assert [answer.text for answer in again] == [answer.text for answer in reversed(first)]
    assert again[0].usage_metadata == first[-1].usage_metadata
    run(["Tea?"], "ainvoke", name="evening")
    assert len(server.requests) == len(asked) + 1


def test_what_was_paid_is_replayed_with_nothing_left_and_after_a_retry(make, server, ledger, api):
    server.script(TooManyRequests(retry_after_ms=1), Answer(ToolCall("look_up", {"topic": "tea"})))
    make(Budget(max_tokens=500), api, run="r").bind_tools([look_up]).invoke("Hi")
    ledger.set_limits(ACCOUNT, Budget(max_tokens=0))
    asked = len(server.requests)
    for way in WAYS:
        again = metered(client(server, api), ledger, ACCOUNT, run="r").bind_tools([look_up])
        assert WAYS[way](again, "Hi").tool_calls[0]["args"] == {"topic": "tea"}
    assert len(server.requests) == asked


def test_the_same_question_twice_is_two_answers(make, server):
    server.script(Answer("One."), Answer("Two."))
    model = make()
    assert [model.invoke("Hi").text, model.invoke("Hi").text] == ["One.", "Two."]


def test_many_at_once_never_pass_the_limit_and_use_what_they_can(server, ledger):
    server.script(Answer(tokens=90, delay_ms=5, times=None))
    budget = Budget(max_tokens=6000)
    ledger.open(ACCOUNT, budget)
    model = metered(client(server), ledger, ACCOUNT, max_output_tokens=150)

    def ask(number):
        with suppress(BudgetExceeded):
            return model.invoke(f"Question {number}")
        return None

    with ThreadPoolExecutor(8) as threads:
        answers = [answer for answer in threads.map(ask, range(100)) if answer]
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens <= 6000
    assert len(answers) == len(server.requests)
    assert server.bill.total_tokens > 6000 - 200

    async def asked_together():
        return await asyncio.gather(
            *(model.ainvoke(f"Question {number}") for number in range(20)), return_exceptions=True
        )

    ledger.set_limits(ACCOUNT, Budget(max_tokens=12_000))
    results = asyncio.run(asked_together())
    assert all(isinstance(result, AIMessage | BudgetExceeded) for result in results)
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens <= 12_000


@tool
def look_up(topic: str) -> str:
    """Looks up a topic."""
    return topic


FAULTS = [
    Answer,
    lambda **cue: Answer(tokens=700, **cue),
    LongAnswer,
    MissingUsage,
    ServerError,
    Reset,
    ResetMidAnswer,
    TruncatedStream,
    MalformedJson,
    lambda **cue: TooManyRequests(retry_after_ms=1, **cue),
]


@pytest.mark.parametrize("seed", long_but(range(10), *range(3)))
def test_any_budget_under_any_faults(seed):
    dice = random.Random(seed)
    limits = {
        "max_tokens": dice.choice([None, 400, 3000]),
        "max_cost_usd": dice.choice([None, 0.003, 0.02]),
        "max_tool_calls": dice.choice([None, 3, 30]),
    }
    budget, ledger = Budget(**limits), MemoryLedger()
    ledger.open(ACCOUNT, budget)
    with LLMServer() as server:
        server.script(*(dice.choice(FAULTS)() for _ in range(12)))
        api = dice.choice(["chat", "responses"])
        model = metered(client(server, api), ledger, ACCOUNT, max_output_tokens=200)
        for number in range(12):
            with suppress(ThriftyError):
                WAYS[dice.choice(list(WAYS))](model, f"Question {number}" * dice.randint(1, 30))
            balance = ledger.balance(ACCOUNT)
            overrun = any(entry.is_overrun for entry in ledger.entries(ACCOUNT))
            assert overrun or budget.covers(balance.spent + balance.reserved)
            assert server.bill.total_tokens <= balance.spent.tokens
        assert balance.reserved == Spend()


texts = st.text(max_size=60)
calls = st.builds(
    lambda topic: AIMessage(
        "", tool_calls=[{"name": "look_up", "args": {"topic": topic}, "id": "call_1"}]
    ),
    texts,
)
messages = st.one_of(
    st.builds(SystemMessage, texts),
    st.builds(HumanMessage, texts),
    st.builds(lambda text: HumanMessage([{"type": "text", "text": text}]), texts),
    st.builds(lambda text: ToolMessage(text, tool_call_id="call_1"), texts),
    calls,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    said=st.lists(messages, min_size=1, max_size=5),
    with_tools=st.booleans(),
    name=st.sampled_from(["gpt-4o", "gpt-5", "llama3"]),
)
def test_no_server_counts_more_input_than_was_reserved(
    counting_server, api, said, with_tools, name
):
    server = counting_server
    server.clear()
    ledger = MemoryLedger()
    ledger.open(ACCOUNT, Budget(max_tokens=20_000))
    model = metered(client(server, api, name), ledger, ACCOUNT, max_output_tokens=20)
    asked = model.bind_tools([look_up]) if with_tools else model
    with suppress(ModelUnavailable):  # a talk that makes no sense is refused by the server
        asked.invoke(said)
    entry = ledger.entries(ACCOUNT)[0]
    for request in server.requests:
        assert request.input_tokens + 20 <= entry.reserved.tokens


@pytest.fixture(scope="module")
def counting_server():
    with LLMServer() as running:
        yield running


def stepped(tokens: int) -> int:
    """A price that doubles for the whole request beyond some length."""
    return tokens * (2 if tokens > 1000 else 1)


@given(most=st.integers(1, 5000), limit=st.integers(0, 6000))
def test_the_affordable_cap_is_searched_where_a_longer_request_costs_more_in_all(most, limit):
    found = most_affordable(most, limit, stepped)
    assert stepped(found) <= limit or found == 0
    assert found == most or stepped(found + 1) > limit

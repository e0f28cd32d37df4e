"""LangChain calls of somebody else's code are reserved before they leave, or do not leave."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from tests.harness.llm_server import (
    Answer,
    Hang,
    MissingUsage,
    ServerError,
    ToolCall,
    TooManyRequests,
)
from tests.models.conftest import client
from tests.models.vendors.openai import CHAT
from tests.models.ways import EVERY_WAY, WAYS
from thrifty import (
    Budget,
    BudgetExceeded,
    PriceUnknown,
    Spend,
    StepEnded,
    ThriftyError,
    TokenPrice,
    metered,
)
from thrifty.models.calls.current_account import current_account
from thrifty.models.calls.step_account import StepAccount
from thrifty.models.costs.prices import PriceList
from thrifty.models.guard.callback_guard import guard_calls

LISTED = PriceList({})
ALLOWED = Budget(max_tokens=1000, max_cost_usd=0.01, max_tool_calls=10)
DECLARED = Spend(777, 777, 0, 7)


def foreign(server, api="chat", **options):
    """Somebody else's model; it keeps no connection for the next event loop to trip over."""
    return client(server, api, default_headers={"Connection": "close"}, **options)


@tool
def look_up(topic: str) -> str:
    """Looks up a topic."""
    looked_up.append(topic)
    return f"All about {topic}."


looked_up: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_looked_up():
    looked_up.clear()


@pytest.mark.parametrize("way", EVERY_WAY)
def test_every_way_of_calling_is_settled_at_the_servers_count(server, api, way):
    server.script(Answer("Yes.", reasoning_tokens=30, cached_input_tokens=8))
    step = StepAccount(ALLOWED)
    model = foreign(server, api, max_tokens=100, stream_usage=True)
    with guard_calls(step, LISTED):
        WAYS[way](model, "Is tea better than coffee? " * 2)
    bill = server.bill
    fresh = bill.input_tokens - bill.cached_input_tokens
    cost = fresh * 2_500 + bill.cached_input_tokens * 1_250 + bill.output_tokens * 10_000
    assert step.bill(DECLARED) == Spend(bill.total_tokens, cost, 0, 1)


@pytest.mark.parametrize("callbacks", [None, [], [BaseCallbackHandler()]])
@pytest.mark.parametrize("way", EVERY_WAY)
def test_what_does_not_fit_is_not_sent_whoever_swallows_the_refusal(server, api, way, callbacks):
    step = StepAccount(Budget(max_tokens=1000))
    model = foreign(server, api, max_tokens=2000)
    small = foreign(server, api, max_tokens=20)
    if callbacks is not None:
        model = model.with_config(callbacks=callbacks)
    with guard_calls(step, LISTED):
        with pytest.raises(BudgetExceeded, match="gpt-4o does not fit"):
            WAYS[way](model, "Hi")
        # It would fit; but once refused, always refused.
        with pytest.raises(BudgetExceeded, match="gpt-4o does not fit"):
            WAYS[way](small, "Hi")
        with pytest.raises(BudgetExceeded):
            look_up.invoke("tea")
    assert not server.requests
    assert not looked_up
    assert step.bill(DECLARED) == Spend()


def react(model, tools=()):
    """A nested agent: it asks, calls tools, and asks again until it has an answer."""
    graph = StateGraph(MessagesState)
    tools = list(tools) or [look_up]
    bound = model.bind_tools(tools)
    graph.add_node("ask", lambda state: {"messages": [bound.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode(tools, handle_tool_errors=True))
    graph.add_edge(START, "ask")
    graph.add_conditional_edges(
        "ask", lambda state: "tools" if state["messages"][-1].tool_calls else END
    )
    graph.add_edge("tools", "ask")
    return graph.compile()


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "batch"])
def test_a_nested_agent_is_held_call_by_call(server, api, way):
    server.script(*(Answer(ToolCall("look_up", {"topic": f"t{n}"})) for n in range(20)))
    agent = react(foreign(server, api, max_tokens=60, stream_usage=True))
    step = StepAccount(Budget(max_tokens=900, max_tool_calls=100))
    with guard_calls(step, LISTED), pytest.raises(BudgetExceeded, match="tokens short"):
        WAYS[way](agent, {"messages": [HumanMessage("What is tea?")]})
    used = step.bill(DECLARED)
    assert used.tokens == server.bill.total_tokens <= 900
    assert used.tool_calls == len(server.requests) + len(looked_up)
    assert 2 <= len(server.requests) < 20


def test_an_agent_that_swallows_the_refusal_of_a_tool_is_stopped_at_its_next_call(server):
    server.script(*(Answer(ToolCall("look_up", {"topic": "tea"})) for _ in range(5)))
    step = StepAccount(Budget(max_tool_calls=1))
    with (
        guard_calls(step, LISTED),
        pytest.raises(BudgetExceeded, match="look_up does not fit: 1 call"),
    ):
        react(foreign(server, max_tokens=60)).invoke({"messages": [HumanMessage("Tea?")]})
    assert len(server.requests) == 1
    assert not looked_up


def test_without_a_cap_all_that_is_left_is_reserved(server):
    server.script(Answer("Tea."), MissingUsage())
    step = StepAccount(Budget(max_tokens=500, max_cost_usd=0.02))
    model = foreign(server, stream_usage=True)
    with guard_calls(step, LISTED):
        model.invoke("Hi")
        first = server.bill.total_tokens
        assert step.bill(DECLARED).tokens == first
        assert step.left.max_tokens == 500 - first
        model.invoke("Hi")
        assert step.left.limits[:2] == (0, 0)
        with pytest.raises(BudgetExceeded):
            model.invoke("Hi")
    assert step.bill(DECLARED) == Spend(500, 20_000_000, 0, 2)


def test_calls_side_by_side_share_what_there_is(server):
    step = StepAccount(Budget(max_tokens=400))
    model = foreign(server, max_tokens=100)
    asks = {f"q{n}": RunnableLambda(lambda _: model.invoke("Hi").text) for n in range(8)}
    with guard_calls(step, LISTED), suppress(BudgetExceeded):
        RunnableParallel(asks).invoke("")
    assert step.bill(DECLARED).tokens <= 400
    assert server.bill.total_tokens <= 400
    assert 1 <= len(server.requests) <= 4


@pytest.mark.parametrize(
    ("fault", "billed"), [(TooManyRequests, False), (ServerError, True), (Hang, True)]
)
def test_a_failed_call_is_free_only_where_that_is_certain(server, fault, billed):
    server.script(fault())
    step = StepAccount(Budget(max_tokens=400))
    model = foreign(server, max_tokens=100, max_retries=0, timeout=0.3 if fault is Hang else 240)
    with guard_calls(step, LISTED), suppress(Exception):
        model.invoke("Hi")
    assert (step.left.max_tokens < 400) == billed
    assert step.ledger.balance("step").reserved == Spend()


def test_a_model_without_a_price_costs_what_was_declared_for_it_or_is_refused():
    fake = FakeListChatModel(responses=["Tea."])
    step = StepAccount(Budget(max_tokens=500, max_cost_usd=0.02))
    with guard_calls(step, LISTED):
        assert fake.invoke("Hi").text == "Tea."
    assert step.bill(DECLARED) == Spend(500, 20_000_000, 0, 1)
    step = StepAccount(Budget(max_tokens=500, max_cost_usd=0))
    with guard_calls(step, LISTED), pytest.raises(PriceUnknown):
        fake.invoke("Hi")


def test_other_models_and_images_are_bounded_by_what_is_left(server):
    own = PriceList({"gpt-4o": TokenPrice(Decimal(1), Decimal(1))})
    step = StepAccount(Budget(max_tokens=500))
    with guard_calls(step, own):
        FakeListLLM(responses=["Tea."]).invoke("Hi")
        with pytest.raises(BudgetExceeded):
            FakeListLLM(responses=["Tea."]).invoke("Hi")
    step = StepAccount(Budget(max_tokens=5000))
    with guard_calls(step, own):
        foreign(server, max_tokens=50).invoke([CHAT.image])
        assert step.ledger.entries("step")[0].reserved.tokens == 5000


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_metered_model_is_counted_once_and_its_cap_comes_from_what_is_left(server, api, way):
    server.script(Answer(tokens=3000, times=None))
    step = StepAccount(Budget(max_tokens=600))
    with guard_calls(step, LISTED):
        WAYS[way](metered(client(server, api)), "Hi")
    assert step.bill(DECLARED).tokens == server.bill.total_tokens <= 600
    assert step.bill(DECLARED).tool_calls == 1


def test_a_metered_model_with_an_account_of_its_own_is_on_both_bills(server, ledger):
    server.script(Answer(tokens=3000, times=None))
    ledger.open("own", Budget(max_tokens=400))
    model = metered(client(server), ledger, "own", max_output_tokens=150)
    step = StepAccount(Budget(max_tokens=300))
    with guard_calls(step, LISTED):
        model.invoke("Hi")
        with suppress(BudgetExceeded):
            model.invoke("Hi")
        with pytest.raises(BudgetExceeded):
            model.invoke("Hi")
    assert ledger.balance("own").spent.tokens == server.bill.total_tokens <= 300
    assert step.bill(DECLARED).tokens == server.bill.total_tokens
    assert ledger.balance("own").reserved == Spend()


def test_a_step_within_a_step_is_on_both_bills(server):
    outer, model = StepAccount(Budget(max_tokens=300)), foreign(server, max_tokens=100)
    with guard_calls(outer, LISTED):

        def nested(_):
            inner = StepAccount(Budget(max_tokens=5000), parent=current_account())
            with guard_calls(inner, LISTED):
                model.invoke("Hi")
            return inner.bill(DECLARED)

        used = RunnableLambda(nested).invoke("")
        assert used == outer.bill(DECLARED)
        assert used.tokens == server.bill.total_tokens
        with pytest.raises(BudgetExceeded):
            RunnableLambda(nested).invoke("") and RunnableLambda(nested).invoke("")


def test_the_time_that_is_left_is_a_limit(server):
    left = [100, 100, 0]
    step = StepAccount(Budget(max_tool_calls=10), lambda: left.pop(0))
    with guard_calls(step, LISTED):
        look_up.invoke("tea")
        look_up.invoke("tea")
        with pytest.raises(BudgetExceeded, match="ms short"):
            look_up.invoke("tea")


def test_it_leaks_into_no_other_thread_task_or_later_call(server):
    step = StepAccount(Budget(max_tool_calls=1))

    async def side_by_side():
        async def inside():
            with guard_calls(step, LISTED):
                await asyncio.sleep(0.02)
                with suppress(ThriftyError):
                    await look_up.ainvoke("in")
                    await look_up.ainvoke("in")

        async def outside():
            for _ in range(5):
                await asyncio.sleep(0.01)
                await look_up.ainvoke("out")

        await asyncio.gather(inside(), outside())

    asyncio.run(side_by_side())
    assert sorted(looked_up) == ["in"] + ["out"] * 5
    with (
        guard_calls(StepAccount(Budget(max_tool_calls=0)), LISTED),
        ThreadPoolExecutor(1) as threads,
    ):
        threads.submit(look_up.invoke, "a thread of its own").result()
    look_up.invoke("later")


def test_what_a_step_leaves_running_may_call_nothing_more(server):
    late = []

    async def leaves_a_task():
        async def go_on():
            await asyncio.sleep(0.05)
            try:
                await look_up.ainvoke("late")
            except StepEnded as error:
                late.append(error)

        with guard_calls(StepAccount(Budget(max_tool_calls=9)), LISTED):
            task = asyncio.create_task(go_on())
        await task

    asyncio.run(leaves_a_task())
    assert late
    assert not looked_up


def test_what_is_still_open_at_the_end_is_charged_in_full(server):
    step = StepAccount(Budget(max_tokens=500))
    with guard_calls(step, LISTED):
        pieces = foreign(server, max_tokens=100).stream("Hi")
        next(pieces)
    (entry,) = step.ledger.entries("step")
    assert entry.status == "in_doubt"
    with suppress(ThriftyError):
        pieces.close()

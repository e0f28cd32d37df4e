"""Executors that ask models and call tools themselves: held by their step's reservation."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool

from tests.graph.conftest import receipt_of
from tests.harness.llm_server import Answer, LLMServer, ToolCall
from tests.models.conftest import client
from tests.models.guard.test_callback_guard import foreign, react
from thrifty import (
    Budget,
    BudgetExceeded,
    MemoryLedger,
    Result,
    Settings,
    Spend,
    Step,
    StepOption,
    create_budget_agent,
    metered,
)

ROOM = Spend(tokens=600, cost_nano_usd=9_000_000, latency_ms=50, tool_calls=4)
BUDGET = {"max_tokens": 1500, "max_cost_usd": 0.03, "max_tool_calls": 9}


def catalog(estimate: Spend = ROOM, names: tuple[str, ...] = ("Facts",)) -> list[Step]:
    return [
        Step(name, (StepOption(name, name, "mine", "finds facts", estimate, 5.0),))
        for name in names
    ]


def asks(model):
    """An executor that asks as often as its task has words."""
    return lambda work: " ".join(model.invoke(word).text for word in work.task.split())


@pytest.mark.parametrize("way", ["sync", "async"])
def test_an_agent_as_an_executor_is_billed_what_it_used(offline, server, ledger, api, way):
    server.script(Answer(ToolCall("look_up", {"topic": "tea"})), Answer("Tea is a plant."))
    nested = react(foreign(server, api, max_tokens=60, stream_usage=True))
    mine = RunnableLambda(lambda task: {"messages": [HumanMessage(task)]}) | nested
    agent = offline(catalog=catalog(), executors={"mine": mine})
    given = {"task": "tea", "budget": BUDGET}
    result = agent.invoke(given) if way == "sync" else asyncio.run(agent.ainvoke(given))
    receipt, bill = receipt_of(result), server.bill
    assert result["draft"] == "## Facts\n\nTea is a plant."
    assert receipt.spent.tokens == bill.total_tokens
    assert receipt.spent.cost_nano_usd == bill.input_tokens * 2_500 + bill.output_tokens * 10_000
    assert receipt.spent.tool_calls == len(server.requests) + 1
    (entry,) = ledger.entries(receipt.run_id)
    assert (entry.status, entry.reserved.tokens) == ("settled", 600)


@pytest.mark.parametrize("swallows", [False, True])
def test_it_gets_no_further_than_its_reservation(offline, server, swallows):
    server.script(Answer(tokens=40, times=None))
    model = foreign(server, max_tokens=150)

    def mine(work):
        said = []
        for number in range(20):
            try:
                said.append(model.invoke(f"Part {number}").text)
            except BudgetExceeded:
                if not swallows:
                    raise
        return " ".join(said)

    agent = offline(catalog=catalog(), executors={"mine": mine})
    receipt = receipt_of(agent.invoke({"task": "tea", "budget": BUDGET}))
    (line,) = receipt.lines
    assert line.status == ("cut" if swallows else "failed")
    assert "does not fit" in line.reason
    assert receipt.spent.tokens == line.actual.tokens == server.bill.total_tokens <= 600
    assert receipt.within_budget
    assert 2 <= len(server.requests) <= 4


def test_a_metered_model_in_an_executor_is_capped_by_what_the_step_has_left(offline, server):
    server.script(Answer(tokens=3000, times=None))
    mine = asks(metered(client(server)))
    agent = offline(catalog=catalog(), executors={"mine": mine})
    receipt = receipt_of(agent.invoke({"task": "tea", "budget": BUDGET}))
    (line,) = receipt.lines
    assert line.status == "done"
    assert receipt.spent.tokens == server.bill.total_tokens
    assert 400 < server.bill.total_tokens <= 600


def test_side_by_side_each_step_has_its_own(offline, server):
    server.script(Answer(tokens=50, delay_ms=20, times=None))
    mine = asks(foreign(server, max_tokens=60))
    names = tuple(f"Facts {number}" for number in range(4))
    agent = offline(catalog=catalog(Spend(300, 0, 50, 2), names), executors={"mine": mine})
    context = {"max_concurrency": 4}
    budget = {"max_tokens": 1300, "max_tool_calls": 8}
    receipt = receipt_of(agent.invoke({"task": "tea pot", "budget": budget}, context=context))
    assert [line.status for line in receipt.lines] == ["done"] * 4
    assert {line.actual.tool_calls for line in receipt.lines} == {2}
    assert receipt.spent.tokens == server.bill.total_tokens
    assert receipt.spent.tool_calls == len(server.requests) == 8


def test_what_is_not_limited_may_be_used_undeclared(offline, server):
    mine = asks(foreign(server, max_tokens=60))
    agent = offline(catalog=catalog(Spend(0, 0, 50, 1)), executors={"mine": mine})
    result = agent.invoke({"task": "tea", "budget": {"max_tool_calls": 5}})
    assert result["status"] == "done"
    assert receipt_of(result).spent.tokens == server.bill.total_tokens > 0


def test_a_result_may_add_to_what_was_seen_and_not_take_from_it(offline, server):
    model = foreign(server, max_tokens=60)

    def mine(work):
        return Result(model.invoke("Tea?").text, spend=Spend(1, 7_000_000, 0, 3))

    agent = offline(catalog=catalog(), executors={"mine": mine})
    spent = receipt_of(agent.invoke({"task": "tea", "budget": BUDGET})).spent
    assert (spent.tokens, spent.cost_nano_usd, spent.tool_calls) == (
        server.bill.total_tokens,
        7_000_000,
        3,
    )


def test_a_thrifty_within_a_thrifty_is_held_by_both(offline):
    with LLMServer() as server:
        server.script(Answer(tokens=80, times=None))
        outer_ledger = MemoryLedger()
        settings = Settings(api_key="sk-test", base_url=server.base_url, api="chat")
        inner = create_budget_agent(
            settings=settings, ledger=outer_ledger, budget=Budget(max_tokens=9000, max_tool_calls=9)
        )

        def mine(work):
            return inner.invoke({"task": work.task})["draft"]

        room = Spend(2500, 90_000_000, 50, 2)
        agent = offline(catalog=catalog(room), executors={"mine": mine})
        budget = {"max_tokens": 6000, "max_tool_calls": 4}
        result = agent.invoke({"task": "Plan a tea party", "budget": budget})
        receipt = receipt_of(result)
        assert [line.status for line in receipt.lines] == ["done"]
        assert 1 <= len(server.requests) <= 2
        assert receipt.spent.tokens == server.bill.total_tokens <= 2500
        assert receipt.spent.tool_calls == len(server.requests)
        assert receipt.within_budget


def agent_that_searches(spend: Spend, asks_too: bool, server: LLMServer):
    """An agent whose step says what it has used, and may ask a model before."""

    def search(work):
        if asks_too:
            metered(client(server, max_tokens=40)).invoke(work.task)
        return Result("found", spend=spend)

    return create_budget_agent(
        settings=Settings(), catalog=catalog(), executors={"mine": search}, ledger=MemoryLedger()
    )


@pytest.mark.parametrize("asks_too", [False, True])
@pytest.mark.parametrize("after", [False, True])
def test_what_a_step_of_an_inner_agent_says_is_on_both_bills(offline, server, asks_too, after):
    """Be a model asked by the inner agent, after it, or not at all."""
    spend = Spend(tokens=300, cost_nano_usd=5_000_000, tool_calls=2)
    inner = agent_that_searches(spend, asks_too, server)
    bills = []

    def mine(work):
        result = inner.invoke({"task": work.task, "budget": BUDGET})
        bills.append(receipt_of(result).spent)
        if after:
            metered(client(server, max_tokens=40)).invoke(work.task)
        return result["draft"]

    room = Spend(1_100, 20_000_000, 50, 6)
    agent = offline(catalog=catalog(room), executors={"mine": mine})
    receipt = receipt_of(agent.invoke({"task": "tea", "budget": BUDGET}))
    (within,) = bills
    assert within.tokens == 300
    later = server.requests[-1].bill.total_tokens if after else 0
    assert len(server.requests) == asks_too + after
    assert receipt.spent.tokens == within.tokens + later
    assert receipt.spent.cost_nano_usd >= within.cost_nano_usd == 5_000_000
    assert receipt.spent.tool_calls == within.tool_calls + after
    assert receipt.within_budget


def test_what_an_inner_agent_may_use_is_taken_from_the_outer_step_first(offline, server):
    """Two inner agents side by side in one step: what one holds, the other has not."""
    inner = agent_that_searches(Spend(tokens=600, tool_calls=1), False, server)

    def mine(work):
        with ThreadPoolExecutor(2) as threads:
            given = {"task": work.task, "budget": BUDGET}
            asked = [
                threads.submit(copy_context().run, inner.invoke, given),
                threads.submit(copy_context().run, inner.invoke, given),
            ]
            return " ".join(each.result()["draft"] for each in asked) or "nothing"

    agent = offline(catalog=catalog(Spend(700, 20_000_000, 50, 8)), executors={"mine": mine})
    receipt = receipt_of(agent.invoke({"task": "tea", "budget": BUDGET}))
    assert receipt.spent.tokens == 600
    assert receipt.within_budget


@tool
def free(topic: str) -> str:
    """Costs what its option declares, as nobody sees what tools cost."""
    return topic


def test_a_tool_is_one_call_and_otherwise_what_it_declared(offline):
    agent = offline(catalog=catalog(Spend(50, 2_000_000, 5, 3)), executors={"mine": free})
    spent = receipt_of(agent.invoke({"task": "tea", "budget": BUDGET})).spent
    assert (spent.tokens, spent.cost_nano_usd, spent.tool_calls) == (50, 2_000_000, 1)


def test_nothing_of_a_run_is_left_behind(offline, server):
    model = foreign(server, max_tokens=60)
    agent = offline(catalog=catalog(), executors={"mine": asks(model)})
    agent.invoke({"task": "tea", "budget": BUDGET})
    for number in range(20):
        model.invoke(f"Mine, number {number}")
    assert len(server.requests) == 21


TOO_LONG = "too long " * 3_000


@pytest.mark.parametrize(
    ("questions", "status", "sent"),
    [((TOO_LONG, "Hi"), "done", 1), (("Hi", TOO_LONG), "cut", 1), ((TOO_LONG,), "cut", 0)],
)
def test_a_metered_call_is_refused_by_itself(offline, server, api, questions, status, sent):
    """The next one may fit; a text after one that did not is not whole, and nothing is billed."""
    model = metered(client(server, api))

    def mine(work):
        for question in questions:
            with suppress(BudgetExceeded):
                model.invoke(question)
        return "A text of its own."

    agent = offline(catalog=catalog(), executors={"mine": mine})
    receipt = receipt_of(agent.invoke({"task": "tea", "budget": BUDGET}))
    (line,) = receipt.lines
    assert line.status == status
    assert len(server.requests) == line.actual.tool_calls == sent
    assert line.actual.tokens == server.bill.total_tokens


def test_a_metered_call_whose_refusal_is_raised_costs_nothing(offline, server, api):
    model = metered(client(server, api))
    agent = offline(catalog=catalog(), executors={"mine": lambda work: model.invoke(TOO_LONG).text})
    (line,) = receipt_of(agent.invoke({"task": "tea", "budget": BUDGET})).lines
    assert (line.status, line.actual.tokens, line.actual.tool_calls) == ("failed", 0, 0)
    assert not server.requests

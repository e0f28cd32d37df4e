"""The middleware: an agent of LangChain's is held by an account, and ends with what it has."""

import asyncio
import logging
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    wrap_model_call,
)
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from tests.harness.llm_server import Answer, Hang, ServerError, ToolCall
from tests.long_cases import long_but
from tests.models.conftest import ACCOUNT, client, entries
from thrifty import (
    Budget,
    BudgetMiddleware,
    InvalidInput,
    MemoryLedger,
    Spend,
    SqliteLedger,
    authenticated_user,
    metered,
)
from thrifty.ledger.records import Balance

looked_up: list[str] = []


@tool
def look_up(topic: str) -> str:
    """Looks up a topic."""
    looked_up.append(topic)
    return f"All about {topic}."


@pytest.fixture(autouse=True)
def _nothing_looked_up():
    looked_up.clear()
    logging.getLogger("langchain_core").setLevel("ERROR")  # it warns of each refused call
    yield
    logging.getLogger("langchain_core").setLevel("NOTSET")


def looks_up(*topics: str, **terms) -> Answer:
    return Answer([ToolCall("look_up", {"topic": topic}) for topic in topics], **terms)


ENDLESS = looks_up("tea", times=None)


@pytest.fixture
def make(server, ledger):
    """Makes agents that spend from one account."""

    def make(budget=None, uses=(look_up,), model=None, before=(), more=None, **terms):
        if budget is not None:
            ledger.open(ACCOUNT, budget)
        held = BudgetMiddleware(ledger, ACCOUNT, **terms)
        return create_agent(
            model or client(server), list(uses), middleware=[*before, held], **(more or {})
        )

    return make


ASK = {"messages": [HumanMessage("What is tea?")]}


async def last_of(states):
    last = None
    async for state in states:
        last = state
    return last


WAYS = {
    "invoke": lambda agent: agent.invoke(ASK),
    "ainvoke": lambda agent: asyncio.run(agent.ainvoke(ASK)),
    "stream": lambda agent: list(agent.stream(ASK, stream_mode="values"))[-1],
    "astream": lambda agent: asyncio.run(last_of(agent.astream(ASK, stream_mode="values"))),
    "messages": lambda agent: (list(agent.stream(ASK, stream_mode="messages")), None)[1],
}
EVERY_WAY = long_but(WAYS, "invoke", "astream")


def ask(agent, config):
    return agent.invoke(ASK, config)


def ask_async(agent, config):
    return asyncio.run(agent.ainvoke(ASK, config))


def last_answer(result) -> AIMessage:
    last = result["messages"][-1]
    assert isinstance(last, AIMessage)
    assert not last.tool_calls
    return last


def in_books(server, ledger) -> Balance:
    """Where the account stands, once it is sure that it says what the server says."""
    balance = ledger.balance(ACCOUNT)
    assert balance.reserved == Spend()
    assert balance.spent.tokens == server.bill.total_tokens
    assert balance.spent.tool_calls == len(server.requests) + len(looked_up)
    assert balance.budget.covers(balance.spent)
    return balance


@pytest.mark.parametrize("way", EVERY_WAY)
def test_an_agent_within_its_budget_is_as_without(make, server, ledger, way):
    server.script(looks_up("tea", "coffee"), Answer("Leaves."))
    result = WAYS[way](make(Budget(max_tokens=5000, max_cost_usd=0.1, max_tool_calls=9)))
    assert sorted(looked_up) == ["coffee", "tea"]
    assert in_books(server, ledger).spent.tool_calls == 4
    if result is not None:
        assert last_answer(result).text == "Leaves."


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize(
    ("budget", "short"),
    [
        (Budget(max_tokens=900), "tokens short"),
        (Budget(max_cost_usd=0.004), r"\$"),
        (Budget(max_tool_calls=6), "1 call short"),
    ],
)
def test_an_endless_loop_ends_within_its_budget_and_says_why(
    make, server, ledger, way, budget, short
):
    server.script(ENDLESS)
    result = WAYS[way](make(budget))
    assert len(server.requests) > 2
    in_books(server, ledger)
    if result is not None:
        last = last_answer(result)
        assert last.text.startswith("I have to stop here: gpt-4o does not fit: ")
        assert short.strip("\\") in last.text
        assert last.response_metadata["thrifty"] == {"error": "BudgetExceeded"}
        assert isinstance(result["messages"][-2], ToolMessage)  # and no call is left unanswered


def test_a_call_goes_out_with_the_cap_that_is_left(make, server):
    make(Budget(max_tokens=700)).invoke(ASK)
    (request,) = server.requests
    assert Budget(max_tokens=700).covers(Spend(request.input_tokens + request.output_cap))
    make(Budget(max_tokens=9000), max_output_tokens=77).invoke(ASK)
    assert server.requests[1].output_cap == 77


@pytest.mark.parametrize("asynchronous", [False, True])
def test_eight_agents_on_one_account_are_never_over(make, server, ledger, asynchronous):
    server.script(ENDLESS)
    agent = make(Budget(max_tokens=8000, max_tool_calls=60), max_output_tokens=60)

    async def all_at_once():
        return await asyncio.gather(*(agent.ainvoke(ASK) for _ in range(8)))

    if asynchronous:
        results = asyncio.run(all_at_once())
    else:
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda _: agent.invoke(ASK), range(8)))
    assert {last_answer(result).response_metadata["thrifty"]["error"] for result in results} == {
        "BudgetExceeded"
    }
    spent = in_books(server, ledger).spent
    assert spent.tokens > 6000 or spent.tool_calls > 55  # and it was used


def test_tools_that_do_not_fit_are_not_called_and_the_model_is_told(make, server, ledger):
    server.script(looks_up("tea", "coffee", "water"), Answer("What I know."))
    # Of calls, one for the model, two for tools, and one for the answer.
    result = make(Budget(max_tool_calls=4, max_tokens=9000)).invoke(ASK)
    assert len(looked_up) == 2
    refused = [m for m in result["messages"] if isinstance(m, ToolMessage) and m.status == "error"]
    assert [m.text for m in refused] == [
        "Not called: look_up does not fit: 1 call short; raise the budget or drop the step."
    ]
    assert last_answer(result).text == "What I know."
    in_books(server, ledger)


def test_a_tool_has_a_price(make, server, ledger):
    server.script(looks_up("tea", "coffee"), Answer("What I know."))
    price = Spend(cost_nano_usd=3_000_000)
    agent = make(Budget(max_cost_usd=0.0085), tools={"look_up": price}, max_output_tokens=40)
    result = agent.invoke(ASK)
    assert last_answer(result).text == "What I know."
    assert len(looked_up) == 2
    charged = {entry.charged.cost_nano_usd for entry in entries(ledger) if entry.label == "look_up"}
    assert charged == {3_000_000}
    server.script(looks_up("milk"), Answer("That is all."))
    result = agent.invoke(ASK)
    assert len(looked_up) == 2
    assert last_answer(result).text == "That is all."  # the tool is too dear, the model is not


@tool
def ask_another(question: str) -> str:
    """Asks another model."""
    return inner["model"].invoke(question).text


inner = {}


def test_a_model_that_is_metered_already_stays_so(make, server, ledger, caplog):
    ledger.open(ACCOUNT, Budget(max_tokens=900))
    server.script(ENDLESS)
    with caplog.at_level(logging.WARNING, "thrifty"):
        result = make(model=metered(client(server), ledger, ACCOUNT)).invoke(ASK)
    assert "tokens short" in last_answer(result).text
    assert "tools" not in server.requests[-1].body  # its last answer is kept back as well
    assert not caplog.records
    in_books(server, ledger)


KINDS = ["bare", "metered", "metered there", "metered here", "metered in a share"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_tool_asks_is_on_the_bill_once(make, server, ledger, kind):
    ledger.open(ACCOUNT, Budget(max_tokens=3000))
    bare = client(server, max_tokens=60, stream_usage=True, default_headers={"Connection": "close"})
    elsewhere = MemoryLedger()
    elsewhere.open(ACCOUNT, Budget(max_tokens=500))
    ledger.grant(ACCOUNT, "share", Budget(max_tokens=500))
    inner["model"] = {
        "bare": bare,
        "metered": metered(bare),
        "metered here": metered(bare, ledger, ACCOUNT),
        "metered there": metered(bare, elsewhere, ACCOUNT),
        "metered in a share": metered(bare, ledger, "share"),
    }[kind]
    server.script(
        Answer(ToolCall("ask_another", {"question": "Tea?"})), Answer("Tea."), Answer("T.")
    )
    assert last_answer(make(uses=[ask_another]).invoke(ASK)).text == "T."
    spent = ledger.balance(ACCOUNT).spent
    assert (spent.tokens, spent.tool_calls) == (server.bill.total_tokens, 4)
    assert (elsewhere.balance(ACCOUNT).spent.tool_calls == 1) == (kind == "metered there")


def test_an_agent_in_a_tool_of_an_agent_is_on_the_same_account(make, server, ledger):
    budget = Budget(max_tokens=3000, max_tool_calls=20)
    child = make(budget)

    @tool
    def delegate(question: str) -> str:
        """Lets another agent find out."""
        return last_answer(child.invoke({"messages": [HumanMessage(question)]})).text

    server.script(
        Answer(ToolCall("delegate", {"question": "Tea?"})), looks_up("tea"), Answer("Leaves.")
    )
    result = make(uses=[delegate]).invoke(ASK)
    assert result["messages"][-2].text == "Leaves."
    assert ledger.balance(ACCOUNT).spent.tool_calls == len(server.requests) + 2
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


class Verdict(BaseModel):
    """What was decided."""

    better: str
    score: int


STRATEGIES = {"tool": ToolStrategy(Verdict), "provider": ProviderStrategy(Verdict), "auto": Verdict}


@pytest.mark.parametrize("tools", [(), (look_up,)], ids=["alone", "beside tools"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_structured_output_works_or_the_agent_ends(make, server, ledger, strategy, tools):
    verdict = {"better": "tea", "score": 5}
    more = {"response_format": STRATEGIES[strategy]}
    server.script(Answer(ToolCall("Verdict", verdict) if strategy == "tool" else verdict))
    result = make(Budget(max_tokens=3000), tools, more=more).invoke(ASK)
    assert result["structured_response"] == Verdict(better="tea", score=5)
    in_books(server, ledger)
    server.script(Answer("I would rather not say.", times=None))
    ledger.set_limits(ACCOUNT, Budget(max_tokens=ledger.balance(ACCOUNT).spent.tokens + 20))
    result = make(uses=tools, more=more).invoke(ASK)
    assert result["structured_response"] is None
    assert "tokens short" in last_answer(result).text
    in_books(server, ledger)


@pytest.mark.parametrize("strategy", ["tool", "provider"])
def test_a_structured_answer_that_is_cut_at_its_cap_ends_it_too(make, server, ledger, strategy):
    verdict = {"better": "tea " * 900, "score": 5}
    server.script(
        Answer(ToolCall("Verdict", verdict) if strategy == "tool" else verdict, times=None)
    )
    more = {"response_format": STRATEGIES[strategy]}
    result = make(Budget(max_tokens=400), (), more=more).invoke(ASK)
    assert result["structured_response"] is None
    assert last_answer(result).text.startswith("I have to stop here: ")
    in_books(server, ledger)


def test_any_other_chat_model_is_held_by_the_guard(make, ledger):
    usage = {"input_tokens": 30, "output_tokens": 10, "total_tokens": 40}
    call = {"name": "look_up", "args": {"topic": "tea"}, "id": "1"}
    wants = AIMessage("", tool_calls=[call], usage_metadata=usage)

    class Endless(FakeMessagesListChatModel):
        def bind_tools(self, tools, **kwargs):
            return self

    result = make(Budget(max_tokens=300), model=Endless(responses=[wants])).invoke(ASK)
    assert "tokens short" in last_answer(result).text
    spent = ledger.balance(ACCOUNT).spent
    assert 100 < spent.tokens <= 300
    assert spent.tool_calls == spent.tokens // 40 + len(looked_up)


@pytest.mark.parametrize("asynchronous", long_but([False, True], True))
def test_time_is_cut_and_counts_for_each_run(make, server, asynchronous):
    server.script(Hang(times=1), Answer("Leaves."))
    agent = make(Budget(max_latency_ms=3_000))
    way = WAYS["ainvoke" if asynchronous else "invoke"]
    assert "deadline" in last_answer(way(agent)).text
    assert last_answer(way(agent)).text == "Leaves."


def test_a_fallback_listed_before_is_metered_too(make, server, ledger):
    server.script(ServerError(times=2), Answer("From the other one."))
    fallback = ModelFallbackMiddleware(client(server, model="gpt-4o-mini"))
    terms = {"raise_unavailable": True, "max_output_tokens": 100}
    agent = make(Budget(max_tokens=2000), before=[fallback], **terms)
    result = agent.invoke(ASK)
    assert last_answer(result).text == "From the other one."
    assert [request.body["model"] for request in server.requests] == [
        *["gpt-4o"] * 2,
        "gpt-4o-mini",
    ]
    assert all(request.output_cap for request in server.requests)
    assert Budget(max_tokens=2000).covers(ledger.balance(ACCOUNT).spent)


def test_a_retry_listed_before_is_not_asked_to_retry_a_refusal(make, server):
    retry = ModelRetryMiddleware(max_retries=3, initial_delay=0)
    result = make(Budget(max_tokens=30), before=[retry]).invoke(ASK)
    assert "tokens short" in last_answer(result).text
    assert not server.requests


def test_a_server_that_fails_ends_the_agent_with_what_it_has(make, server):
    server.script(looks_up("tea"), ServerError(times=None))
    result = make(Budget(max_tokens=5000)).invoke(ASK)
    assert last_answer(result).response_metadata["thrifty"] == {"error": "ModelUnavailable"}
    assert result["messages"][-2].text == "All about tea."


def test_a_changed_prompt_is_what_is_metered(make, server, ledger):
    @wrap_model_call
    def longer(request, handler):
        return handler(request.override(messages=[*request.messages, HumanMessage("Why? " * 50)]))

    make(Budget(max_tokens=900), before=[longer]).invoke(ASK)
    (request,) = server.requests
    assert request.input_tokens > 50
    assert request.input_tokens + request.output_cap <= 900
    in_books(server, ledger)


def test_a_run_that_starts_again_is_given_what_it_has_paid_for(server, tmp_path):
    server.script(looks_up("tea"), Answer("Leaves."))
    config = {"configurable": {"thread_id": "t-1"}}
    answers = []
    for _ in range(2):  # a process, and the one after its crash, before it wrote a checkpoint
        ledger = SqliteLedger(tmp_path / "spend.sqlite")
        ledger.open(ACCOUNT, Budget(max_tokens=3000))
        held = BudgetMiddleware(
            ledger, ACCOUNT, run=lambda config: config["configurable"]["thread_id"]
        )
        agent = create_agent(
            client(server), [look_up], middleware=[held], checkpointer=InMemorySaver()
        )
        answers.append(last_answer(agent.invoke(ASK, config)).text)
        assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens
        ledger.disconnect()
    assert answers == ["Leaves.", "Leaves."]
    assert len(server.requests) == 2


def test_an_account_may_be_named_by_the_configuration(server, ledger):
    for user in ("ann", "bob"):
        ledger.open(user, Budget(max_tokens=400))
    held = BudgetMiddleware(ledger, lambda config: config["configurable"]["user"])
    agent = create_agent(client(server), [look_up], middleware=[held])
    agent.invoke(ASK, {"configurable": {"user": "ann"}})
    assert ledger.balance("ann").spent.tokens == server.bill.total_tokens
    assert ledger.balance("bob").spent == Spend()


@pytest.mark.parametrize("run", [ask, ask_async], ids=["sync", "async"])
def test_on_a_server_what_a_client_writes_names_no_account(server, ledger, run):
    """A function that asks for it is refused, and one that asks for the user gets that."""
    for user in ("ann", "bob"):
        ledger.open(f"user:{user}", Budget(max_tokens=400))
    config = {"configurable": {"langgraph_auth_user_id": "ann", "user": "bob"}}
    careless = BudgetMiddleware(ledger, lambda config: f"user:{config['configurable']['user']}")
    with pytest.raises(InvalidInput, match=r"account: got 'user'; on an Agent Server a client"):
        run(create_agent(client(server), [], middleware=[careless]), config)
    assert not server.requests
    held = BudgetMiddleware(ledger, lambda config: f"user:{authenticated_user(config)}")
    run(create_agent(client(server), [], middleware=[held]), config)
    assert ledger.balance("user:ann").spent.tokens == server.bill.total_tokens > 0
    assert ledger.balance("user:bob").spent == Spend()


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ("eve", "account: got 'user:eve'; open it first, with ledger.open"),
        ("", "account: got ''; a user has to be authenticated"),
        ("langgraph-studio-user", "account: got 'langgraph-studio-user'; log in as a user"),
    ],
)
@pytest.mark.parametrize("run", [ask, ask_async], ids=["sync", "async"])
def test_who_has_no_account_is_told_so_and_asks_nothing(server, ledger, run, user, told):
    held = BudgetMiddleware(ledger, lambda config: f"user:{authenticated_user(config)}")
    agent = create_agent(client(server), [look_up], middleware=[held])
    with pytest.raises(InvalidInput, match=re.escape(told)):
        run(agent, {"configurable": {"langgraph_auth_user_id": user}})
    assert not server.requests


def test_a_raised_budget_lets_the_next_turn_go_on(make, server, ledger):
    server.script(Answer("Leaves."))
    agent = make(Budget(max_tokens=30), more={"checkpointer": InMemorySaver()})
    config = {"configurable": {"thread_id": "1"}}
    assert "tokens short" in last_answer(agent.invoke(ASK, config)).text
    ledger.set_limits(ACCOUNT, Budget(max_tokens=900))
    assert last_answer(agent.invoke(ASK, config)).text == "Leaves."


def test_an_account_has_to_be_open(ledger):
    with pytest.raises(KeyError):
        BudgetMiddleware(ledger, "never opened")


def test_a_run_without_a_name_is_refused_as_what_it_is(server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=400))
    held = BudgetMiddleware(ledger, ACCOUNT, run=lambda config: "")
    agent = create_agent(client(server), [look_up], middleware=[held])
    assert "run: got ''; return a name that stays the same" in last_answer(agent.invoke(ASK)).text
    assert not server.requests

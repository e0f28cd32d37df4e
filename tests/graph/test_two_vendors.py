"""One run, the models of two vendors: each at its own server, with its own key, on one bill."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage

from tests.graph.conftest import EDITOR, REVISED, TASK, receipt_of
from tests.harness.llm_server import Answer, LLMServer, ToolCall
from thrifty import (
    Budget,
    MemoryLedger,
    Model,
    Settings,
    Spend,
    StepOption,
    create_budget_agent,
)

HAIKU = "anthropic:claude-haiku-4-5"
CLAUDE_KEY, OPENAI_KEY, STRAY = "sk-ant-canary", "sk-openai-canary", "sk-stray-canary"
PLAIN = {"propose_options": False}
SHAPE = {
    "title": "Verdict",
    "type": "object",
    "properties": {"better": {"type": "string"}},
    "required": ["better"],
}


@pytest.fixture
def openai() -> Iterator[LLMServer]:
    with LLMServer(api_key=OPENAI_KEY) as running:
        running.script(Answer(REVISED, when=EDITOR, times=None))
        yield running


@pytest.fixture
def claude(monkeypatch) -> Iterator[LLMServer]:
    """Anthropic's server, as its own variables name it."""
    with LLMServer(api_key=CLAUDE_KEY) as running:
        running.script(Answer(REVISED, when=EDITOR, times=None))
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.root_url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", CLAUDE_KEY)
        yield running


@pytest.fixture
def agent_of(openai, claude, ledger):
    def make(cheap: Any = HAIKU, **given):
        settings = Settings(
            OPENAI_KEY, openai.base_url, models={"strong": "openai:gpt-4.1", "cheap": cheap}
        )
        return create_budget_agent(settings=settings, ledger=ledger, **given)

    return make


def option(step: str, role: str, value: float = 5.0) -> StepOption:
    estimate = Spend(300, 0, 900, 1)
    return StepOption(
        f"{step} ({role})", step, "llm", "says what", estimate, value, payload={"model": role}
    )


def openai_cost(bill) -> int:
    return bill.input_tokens * 2_000 + bill.output_tokens * 8_000


def claude_cost(bill) -> int:
    return bill.input_tokens * 1_000 + bill.output_tokens * 5_000


def is_one_bill(result, ledger: MemoryLedger, openai: LLMServer, claude: LLMServer) -> bool:
    """Whether receipt and ledger say what both servers charge."""
    spent = receipt_of(result).spent
    tokens = openai.bill.total_tokens + claude.bill.total_tokens
    cost = openai_cost(openai.bill) + claude_cost(claude.bill)
    booked = sum(info.spent.cost_nano_usd for info in booked_runs(ledger))
    return (spent.tokens, spent.cost_nano_usd, booked) == (tokens, cost, cost)


def booked_runs(ledger: MemoryLedger) -> list[Any]:
    return [ledger.balance(info.name) for info in ledger.accounts() if not info.parent]


@pytest.mark.parametrize(
    "budget",
    [{"max_tokens": 9_000, "max_cost_usd": 0.05}, {"max_cost_usd": 0.009}, {"max_tokens": 3_000}],
)
def test_a_plan_uses_both_and_the_bill_is_both_servers(agent_of, openai, claude, ledger, budget):
    steps = [option("Aims", "strong", 9.0), option("Costs", "cheap"), option("Next", "cheap")]
    agent = agent_of(catalog=steps)
    result = agent.invoke({"task": TASK, "budget": budget}, context=PLAIN)
    assert (len(openai.requests), len(claude.requests)) == (1, 2)
    assert {request.api for request in claude.requests} == {"messages"}
    assert is_one_bill(result, ledger, openai, claude)
    assert Budget(**budget).covers(receipt_of(result).spent)
    named = {line.label: line.status for line in receipt_of(result).lines}
    assert named == dict.fromkeys(("Aims (strong)", "Costs (cheap)", "Next (cheap)"), "done")


def test_each_key_goes_to_its_own_server_and_no_other(agent_of, openai, claude, monkeypatch):
    """Also what the vendors' own clients read from the environment by themselves."""
    monkeypatch.setenv("OPENAI_API_KEY", OPENAI_KEY)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"x-gateway: {STRAY}-o")
    monkeypatch.setenv("OPENAI_ORG_ID", f"{STRAY}-org")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", f"x-gateway: {STRAY}-a")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", f"{STRAY}-token")
    with LLMServer() as other:
        models = {
            "third": Model(HAIKU, base_url=other.root_url),
            "fourth": Model("gpt-4.1", base_url=other.base_url),
        }
        settings = Settings(
            OPENAI_KEY, openai.base_url, models={"strong": "gpt-4.1", "cheap": HAIKU, **models}
        )
        steps = [option(role, role) for role in settings.models]
        agent = create_budget_agent(settings=settings, catalog=steps)
        budget = {"max_tokens": 20_000}
        assert agent.invoke({"task": TASK, "budget": budget}, context=PLAIN)["status"] == "done"
        sent = [" ".join(each.headers.values()) for each in other.requests]
    assert len(sent) == 2
    assert "canary" not in "".join(sent)
    (at_openai,) = (" ".join(each.headers.values()) for each in openai.requests)
    (at_claude,) = (" ".join(each.headers.values()) for each in claude.requests)
    assert CLAUDE_KEY not in at_openai
    assert f"{STRAY}-a" not in at_openai
    assert OPENAI_KEY not in at_claude
    assert f"{STRAY}-o" not in at_claude
    # What the environment says beside an address is that server's.
    assert f"{STRAY}-o" in at_openai
    assert f"{STRAY}-a" in at_claude


def test_a_direct_answer_is_the_cheap_vendors_where_money_is_short(
    agent_of, openai, claude, ledger
):
    result = agent_of().invoke({"task": "Is tea better?", "budget": {"max_cost_usd": 0.004}})
    assert (result["status"], len(openai.requests), len(claude.requests)) == ("done", 0, 1)
    assert is_one_bill(result, ledger, openai, claude)


def test_extra_steps_are_asked_of_the_cheap_vendor(agent_of, openai, claude, ledger):
    steps = [option("Aims", "strong", 9.0)]
    agent = agent_of(catalog=steps)
    result = agent.invoke({"task": TASK, "budget": {"max_tokens": 20_000, "max_tool_calls": 5}})
    asked = claude.requests[0].body
    assert asked["tool_choice"]["type"] == "tool"
    assert result["status"] == "done"
    spent = receipt_of(result).spent.tokens
    assert spent == openai.bill.total_tokens + claude.bill.total_tokens


@pytest.mark.parametrize(
    "model",
    [
        HAIKU,
        Model(HAIKU, effort="minimal"),
        Model("anthropic:claude-sonnet-5", effort="low"),
        Model("anthropic:claude-opus-4-6", effort="low"),
    ],
    ids=["without thought", "in a number of tokens", "adaptive", "by a word"],
)
def test_an_answer_of_a_shape_comes_also_from_a_model_that_thinks(
    agent_of, openai, claude, ledger, model
):
    """No tool is forced on it then, which the API refuses."""
    claude.script(Answer(ToolCall("Verdict", {"better": "tea"}), reasoning_tokens=40))
    agent = agent_of(model, response_format=SHAPE)
    given = {"task": "Is tea better?", "budget": {"max_tokens": 9_000, "max_cost_usd": 1}}
    result = agent.invoke(given, context={"model": "cheap"})
    assert result["structured"] == {"better": "tea"}
    (request,) = claude.requests
    thinks = bool(request.body.get("thinking") or request.body.get("output_config"))
    assert thinks == (model != HAIKU)
    assert ("tool_choice" in request.body) == ("thinking" not in request.body)
    spent = receipt_of(result).spent
    assert spent.tokens == claude.bill.total_tokens
    assert request.output_cap > request.body.get("thinking", {}).get("budget_tokens", 0)


def test_thought_needs_its_room_and_a_plan_knows_that(agent_of, openai, claude):
    """2,048 tokens of thought are more than there are: it is planned otherwise, and not dropped."""
    steps = [option("Aims", "strong", 5.0), option("Aims", "cheap", 9.0)]
    agent = agent_of(Model(HAIKU, effort="low"), catalog=steps)
    result = agent.invoke({"task": TASK, "budget": {"max_tokens": 2_000}}, context=PLAIN)
    assert (len(openai.requests), len(claude.requests)) == (1, 0)
    assert [line.label for line in receipt_of(result).lines] == ["Aims (strong)"]
    (left,) = result["plan"]["left_out"]
    assert (left["option"], left["short_of"]) == ("Aims (cheap)", ["tokens"])


def test_a_model_with_tools_may_be_of_any_vendor(agent_of, openai, claude, ledger):
    def depots(place: str) -> str:
        """What stands in a depot."""
        return f"fourteen vans in {place}"

    claude.script(Answer(ToolCall("depots", {"place": "the north"})), Answer("Fourteen."))
    agent = agent_of(tools=[depots])
    budget = {"max_tokens": 9_000, "max_cost_usd": 0.05, "max_tool_calls": 9}
    result = agent.invoke({"task": "How many vans?", "budget": budget}, context={"model": "cheap"})
    assert result["answer"] == "Fourteen."
    assert len(claude.requests) == 2
    assert is_one_bill(result, ledger, openai, claude)


def test_a_chat_model_of_ones_own_may_be_of_any_vendor(openai, claude, ledger, agent_of):
    own = ChatAnthropic(model="claude-haiku-4-5", base_url=claude.root_url, api_key=CLAUDE_KEY)
    result = agent_of(own).invoke(
        {"task": "Is tea better?", "budget": {"max_cost_usd": 0.01}}, context={"model": "cheap"}
    )
    assert result["status"] == "done"
    assert is_one_bill(result, ledger, openai, claude)


def test_the_vendor_without_its_key_is_left_out_and_the_other_does_the_work(
    agent_of, openai, claude, monkeypatch
):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.delenv("ANTHROPIC_BASE_URL")
    steps = [option("Aims", "strong", 5.0), option("Aims", "cheap", 9.0)]
    result = agent_of(catalog=steps).invoke(
        {"task": TASK, "budget": {"max_tokens": 9_000}}, context=PLAIN
    )
    assert (len(openai.requests), len(claude.requests)) == (1, 0)
    reasons = {left["option"]: left["reason"] for left in result["plan"]["left_out"]}
    assert reasons["Aims (cheap)"] == "offline: ANTHROPIC_API_KEY holds no key"


def test_what_a_conversation_may_take_is_counted_as_its_vendor_bounds_it(claude):
    """Claude's tokens nobody can count, so its bound is all that is sent, in bytes."""
    claude.script(Answer("By the sea.", times=None))
    agent = create_budget_agent(settings=Settings(models={"strong": HAIKU}))
    turns = [[HumanMessage('"Where to?"\n' * 40), AIMessage('"Well?"\n' * 40)] for _ in range(5)]
    said = [*chain.from_iterable(turns), HumanMessage("Say it.")]
    result = agent.invoke({"messages": said, "budget": {"max_tokens": 5_700}})
    assert result["answer"] == "By the sea."
    assert len(claude.requests) == 1
    assert len(claude.requests[0].body["messages"]) < len(said)

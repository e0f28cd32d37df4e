"""Any task is answered: by the best who can, with what was said itself, and in one call."""

import asyncio
import base64
from dataclasses import replace

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI

from tests.conftest import REAL_HOSTS
from tests.graph.conftest import decisions_of, receipt_of
from tests.harness.llm_server import Answer, ChatTemplate, ToolCall, Unauthorized
from tests.models.conftest import client
from thrifty import Executor, InvalidInput, Model, Settings, Spend, create_budget_agent, metered
from thrifty.models.costs import input_bound

POEM = "The sea is blue,\nand deep, too."
ROLES = {"strong": "gpt-5", "cheap": "gpt-5-mini"}
ONE_CALL = {"max_tokens": 2_000, "max_tool_calls": 1}
TASKS = {
    "poem": "Write a short poem about the sea",
    "translation": "Translate this project plan into German: first we dig, then we build.",
    "review": "Review the project proposal that is attached.",
    "question": "SQLite or PostgreSQL?",
    "bug": "Fix the bug:\n\n  File 'a.py', line 3\n    print(x\nSyntaxError",
    "German": "Schreibe ein kurzes Gedicht über das Meer",
    "Japanese": "海についての短い詩を書いてください",
    "long": "Summarise this.\n\n" + "It was a dark and stormy night. " * 1_200 + "End.",
}


@pytest.fixture
def answering(online, server):
    """Makes agents that follow no recipe unless a task asks for one."""
    server.script(Answer(POEM, times=None))

    def make(**given):
        return online(**{"catalog": None, "models": ROLES, **given})

    return make


def options_of(result):
    return [line.label for line in receipt_of(result).lines]


@pytest.mark.parametrize("kind", TASKS)
def test_a_task_is_answered_in_one_call_that_sends_the_task_itself(answering, server, api, kind):
    task = TASKS[kind]
    budget = {"max_tokens": 30_000}
    result = answering(api=api).invoke({"task": task, "budget": budget})
    (request,) = server.requests
    assert [(said.role, said.text) for said in request.messages] == [("user", task)]
    assert (result["status"], result["answer"], result["draft"]) == ("done", POEM, POEM)
    assert [message.text for message in result["messages"]] == [POEM]
    assert result["spend"]["tokens"] == server.bill.total_tokens
    assert options_of(result) == ["Answer (strong)"]


@pytest.mark.parametrize("model", ["gpt-5", "llama3"])
def test_a_long_task_has_its_input_and_as_much_room_for_its_answer(answering, server, model):
    """Also where only its bytes can be counted, which are four times its tokens."""
    agent = answering(models={"strong": model})
    result = agent.invoke({"task": TASKS["long"], "budget": {"max_tokens": 100_000}})
    (request,) = server.requests
    assert result["status"] == "done"
    assert request.output_cap >= request.input_tokens > 8_000
    assert receipt_of(result).within_budget


def test_a_budget_for_one_call_buys_the_best_answer_that_fits(answering, server):
    result = answering().invoke({"task": TASKS["poem"], "budget": ONE_CALL})
    assert options_of(result) == ["Answer (strong)"]
    cents = {"max_cost_usd": 0.003}
    result = answering().invoke({"task": TASKS["poem"], "budget": cents})
    assert options_of(result) == ["Answer (cheap)"]
    assert [request.model for request in server.requests] == ["gpt-5", "gpt-5-mini"]


def test_what_a_servers_chat_template_adds_is_within_the_reservation(
    answering, server, ledger, monkeypatch
):
    """At a server that nobody here knows, two letters are read as some thirty tokens."""
    monkeypatch.setattr(input_bound, "OPENAI_HOSTS", REAL_HOSTS)
    server.clear()
    server.script(ChatTemplate(answer=Answer(tokens=2_000)))
    result = answering(models={"strong": "llama3"}).invoke({"task": "Hi", "budget": ONE_CALL})
    (entry,) = ledger.entries(receipt_of(result).run_id)
    assert server.bill.input_tokens > 32
    assert entry.reserved.tokens >= entry.charged.tokens == server.bill.total_tokens
    assert receipt_of(result).warnings == ("Answer was cut short",)


def test_an_answer_that_its_models_own_cap_cuts_says_where(answering, server):
    server.clear()
    server.script(Answer(tokens=2_000))
    made = ChatOpenAI(
        model="gpt-5", base_url=server.base_url, api_key="none", max_completion_tokens=24
    )
    given = {"task": TASKS["poem"], "budget": {"max_tokens": 5_000}}
    result = answering(models={"strong": made}).invoke(given)
    (line,) = receipt_of(result).lines
    assert line.reason.startswith("cut short after 24 tokens; its reservation held ")


def test_a_run_may_say_which_model_answers(answering, server):
    given = {"task": TASKS["poem"], "budget": ONE_CALL}
    result = answering().invoke(given, context={"model": "cheap"})
    assert [request.model for request in server.requests] == ["gpt-5-mini"]
    reasons = {out["option"]: out["reason"] for out in result["plan"]["left_out"]}
    assert reasons["Answer (strong)"] == "the run has chosen the model role 'cheap'"


def test_where_a_model_fails_another_answers(online, server):
    server.script(Unauthorized(), Answer(POEM, times=None))
    agent = online(catalog=None, models=ROLES)
    result = agent.invoke({"task": TASKS["poem"], "budget": {"max_tokens": 9_000}})
    assert (result["status"], result["answer"]) == ("done", POEM)
    assert [request.model for request in server.requests] == ["gpt-5", "gpt-5-mini"]


def test_a_conversation_is_sent_as_it_is(answering, server):
    said = [
        SystemMessage("Be brief."),
        HumanMessage("Name a sea."),
        AIMessage("The Baltic."),
        HumanMessage("And another?"),
    ]
    answering().invoke({"messages": said, "budget": {"max_tokens": 5_000}})
    (request,) = server.requests
    assert [message.text for message in request.messages] == [message.text for message in said]


def test_a_thread_remembers_what_was_said(answering, server):
    from langgraph.checkpoint.memory import InMemorySaver

    agent, thread = answering(checkpointer=InMemorySaver()), {"configurable": {"thread_id": "a"}}
    agent.invoke({"messages": [HumanMessage("Name a sea.")]}, thread)
    agent.invoke({"messages": [HumanMessage("And another?")]}, thread)
    sent = [message.text for message in server.requests[-1].messages]
    assert sent == ["Name a sea.", POEM, "And another?"]


def long_talk(turns=40):
    said = [SystemMessage("Be brief.")]
    for turn in range(turns):
        said += [HumanMessage(f"Question {turn}: {'why ' * 60}"), AIMessage("Because. " * 40)]
    return [*said, HumanMessage("And now?")]


def test_a_conversation_that_has_outgrown_the_budget_loses_its_oldest_messages(answering, server):
    said = long_talk()
    result = answering().invoke({"messages": said, "budget": {"max_tokens": 3_000}})
    sent = [message.text for message in server.requests[-1].messages]
    assert (result["status"], result["answer"]) == ("done", POEM)
    assert sent == ["Be brief.", *(message.text for message in said[-len(sent) + 1 :])]
    assert 3 < len(sent) < 40
    assert sent[1].startswith("Question ")
    (remark,) = decisions_of(result, "options")
    missed = len(said) - len(sent)
    assert remark == (
        f"the oldest {missed} of {len(said)} messages were left out, as all of them do not fit"
    )
    assert result["spend"]["tokens"] <= 3_000
    assert receipt_of(result).bound_by == ("tokens",)


def test_who_wants_nothing_left_out_is_told_before_anything_is_spent(answering, server):
    given = {"messages": long_talk(), "budget": {"max_tokens": 3_000}}
    with pytest.raises(InvalidInput, match="raise the budget, or leave out the oldest") as refused:
        answering().invoke(given, context={"trim": "never"})
    assert refused.value.field == "messages"
    assert not server.requests


def test_an_answer_streams_as_messages_and_comes_once(answering, server, api):
    agent = answering(api=api)
    given = {"task": TASKS["poem"], "budget": ONE_CALL}
    pieces = []
    for message, about in agent.stream(given, stream_mode="messages"):
        assert (about["langgraph_node"], about["thrifty_answers"]) == ("run_llm", True)
        pieces.append(message.text)
    assert "".join(pieces) == POEM
    assert len([piece for piece in pieces if piece]) > 1


def picture():
    data = base64.b64encode(b"no real picture").decode()
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    return [HumanMessage([{"type": "text", "text": "What is this?"}, image])]


def test_a_picture_is_sent_where_it_has_a_bound(answering, server):
    roles = {"strong": Model("gpt-5", tokens_per_attachment=1_000)}
    given = {"messages": picture(), "budget": {"max_tokens": 6_000}}
    result = answering(models=roles).invoke(given)
    assert (result["status"], result["answer"]) == ("done", POEM)
    assert server.requests[-1].output_cap <= 6_000 - 1_000


def test_a_picture_without_a_bound_is_not_sent_under_a_limit(answering, server):
    result = answering().invoke({"messages": picture(), "budget": {"max_tokens": 6_000}})
    assert result["status"] == "halted"
    assert "tokens_per_attachment" in result["receipt"]["halt_reason"]
    assert receipt_of(result).cause == ""  # there is a model, at a price that is known
    assert not server.requests


def test_without_a_model_a_task_is_told_what_is_missing():
    result = create_budget_agent(settings=Settings()).invoke({"task": TASKS["poem"]})
    assert (result["status"], result["answer"], result["draft"]) == ("halted", "", "")
    assert receipt_of(result).cause == "model"
    assert receipt_of(result).halt_reason == (
        "nothing here can answer this without a model: set OPENAI_API_KEY or OPENAI_BASE_URL, "
        "or name another vendor's model (THRIFTY_MODELS__STRONG=anthropic:claude-haiku-4-5) and "
        "set its key, or register an executor (offline: no key and no server)"
    )


def test_an_executor_that_answers_does_so_without_a_model_and_is_free():
    echo = Executor(lambda work: f"{len(work.conversation)}: {work.task}", answers=True)
    agent = create_budget_agent(settings=Settings(), executors={"echo": echo})
    said = [HumanMessage("One"), AIMessage("Two"), HumanMessage("Three")]
    result = agent.invoke({"messages": said, "budget": {"max_tokens": 100, "max_tool_calls": 1}})
    assert (result["status"], result["answer"]) == ("done", "3: Three")
    assert (result["spend"]["tokens"], result["spend"]["tool_calls"]) == (0, 0)


def test_an_executor_may_be_called_like_a_model(answering, server):
    clerk = Executor(lambda work: "from the clerk", answers=True)
    agent = answering(executors={"cheap": clerk})
    assert agent.invoke({"task": "Hi", "budget": {"max_tokens": 30_000}})["answer"] == POEM
    few = agent.invoke({"task": "Hi", "budget": {"max_tokens": 10}})
    assert (few["answer"], options_of(few)[0]) == ("from the clerk", "Answer (cheap) (2)")


def test_an_executor_that_does_not_say_so_answers_nothing():
    agent = create_budget_agent(settings=Settings(), executors={"echo": lambda work: work.task})
    assert agent.invoke({"task": "Say it"})["status"] == "halted"


def test_an_agent_that_answers_is_sent_the_conversation_within_its_reservation(server):
    from langchain.agents import create_agent
    from langchain_openai import ChatOpenAI

    server.script(Answer(POEM, times=None))
    model = ChatOpenAI(model="gpt-5-mini", base_url=server.base_url, api_key="sk-test")
    executors = {"helper": Executor(create_agent(model, []), answers=True)}
    agent = create_budget_agent(settings=Settings(), executors=executors)
    said = [HumanMessage("One"), AIMessage("Two"), HumanMessage("Three")]
    result = agent.invoke({"messages": said, "budget": {"max_tokens": 4_000}})
    assert [message.text for message in server.requests[-1].messages] == ["One", "Two", "Three"]
    assert (result["answer"], result["spend"]["tokens"]) == (POEM, server.bill.total_tokens)


def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def test_with_tools_an_agent_answers_and_all_its_calls_are_on_the_bill(online, server):
    asks = Answer(ToolCall("weather", '{"city": "Rome"}'))
    server.script(asks, Answer("It is sunny.", times=None))
    agent = online(catalog=None, tools=[weather])
    result = agent.invoke({"task": "How is the weather in Rome?"})
    assert options_of(result) == ["Answer (strong, with tools)"]
    assert (result["status"], result["answer"]) == ("done", "It is sunny.")
    assert server.requests[-1].messages[-1].text == "sunny in Rome"
    assert result["spend"]["tool_calls"] == 3
    assert result["spend"]["tokens"] == server.bill.total_tokens


async def _collect(parts):
    return [part async for part in parts]


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_with_tools_the_answer_streams_as_a_direct_one_does(online, server, api, way):
    """Token by token, once, and as the step's own. What its tools ask a model is no part of it."""

    def weather(city: str) -> str:
        """The weather of a city."""
        return metered(client(server)).invoke("What is it like?").text

    asks = Answer(ToolCall("weather", '{"city": "Rome"}'))
    server.script(asks, Answer("A secret."), Answer(POEM, times=None))
    agent = online(api=api, catalog=None, tools=[weather])
    given = {"task": "How is the weather in Rome?", "budget": {"max_tokens": 9_000}}
    if way == "stream":
        parts = list(agent.stream(given, stream_mode="messages"))
    else:
        parts = asyncio.run(_collect(agent.astream(given, stream_mode="messages")))
    assert len(server.requests) == 3
    for _, about in parts:
        assert (about["langgraph_node"], about["thrifty_step"]) == ("run_local", "Answer")
        assert about["thrifty_answers"]
    assert "".join(message.text for message, _ in parts) == POEM
    texts = [message for message, _ in parts if message.text]
    assert len(texts) > 1
    assert len({message.id for message in texts}) == 1
    nested = agent.stream(given, stream_mode="messages", subgraphs=True)
    answered = [m.text for _, (m, about) in nested if about.get("thrifty_answers")]
    assert "".join(answered) == POEM


def test_an_agent_with_tools_is_held_by_the_budget(online, server):
    server.script(Answer(ToolCall("weather", '{"city": "Rome"}'), times=None))
    agent = online(catalog=None, tools=[weather])
    given = {"task": "How is the weather in Rome?", "budget": {"max_tool_calls": 6}}
    result = agent.invoke(given)
    assert result["spend"]["tool_calls"] <= 6
    assert result["status"] == "halted"


def test_an_agent_whose_model_was_not_reached_has_used_nothing(ledger):
    settings = Settings(base_url="http://127.0.0.1:9", models=ROLES)
    agent = create_budget_agent(settings=settings, ledger=ledger, tools=[weather])
    result = agent.invoke({"task": "How is the weather?", "budget": {"max_tokens": 60_000}})
    assert [line.status for line in receipt_of(result).lines] == ["failed", "failed"]
    assert replace(receipt_of(result).spent, latency_ms=0) == Spend()
    assert ledger.balance(receipt_of(result).run_id).left.max_tokens == 60_000


def test_tools_can_also_do_steps(offline):
    step = {"name": "Look", "options": [LOOK]}
    result = offline(catalog={"steps": [step]}, tools=[weather]).invoke({"task": "Rome"})
    assert "sunny in Rome" in result["draft"]


LOOK = {
    "executor": "weather",
    "description": "Look out of the window.",
    "tokens": 0,
    "latency_ms": 10,
    "tool_calls": 1,
    "value": 5,
}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"tools": "weather"}, "tools"),
        ({"tools": [5]}, "tools"),
        ({"tools": [weather, weather]}, "tools"),
        ({"tools": [weather], "executors": {"weather": print}}, "tools"),
        ({"executors": {"LLM with tools": print}}, "executors"),
    ],
    ids=["a text", "a number", "twice", "an executor's name", "ours"],
)
def test_tools_that_cannot_be_used_are_refused(given, field):
    with pytest.raises(InvalidInput) as refused:
        create_budget_agent(settings=Settings(), **given)
    assert refused.value.field == field

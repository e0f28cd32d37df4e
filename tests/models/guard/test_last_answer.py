"""An agent keeps the money for its last answer back: tools cannot eat it."""

import asyncio
import os

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from tests.harness.fork import fork_to
from tests.harness.llm_server import Answer, ToolCall
from tests.models.conftest import ACCOUNT, claude, client
from tests.models.guard.looked_up import ASK, look_up, made
from thrifty import Budget, BudgetMiddleware, Spend, SqliteLedger, metered
from thrifty.models.calls.last_answer import LAST_ANSWER_TOKENS, NOTE, needed_after
from thrifty.models.guard.answer_holds import LABEL

pytestmark = pytest.mark.usefixtures("nothing_made")
KNOWN = Answer("What I know.", times=None, when=lambda request: not may_call(request))


def may_call(request) -> bool:
    choice = request.body.get("tool_choice")
    return bool(request.body.get("tools")) and choice != {"type": "none"}


def calls(*topics, times=None) -> Answer:
    """What a model answers for as long as it has tools."""
    asked = [ToolCall("look_up", {"topic": topic}) for topic in topics]
    return Answer(asked, times=times, when=may_call)


@pytest.fixture(params=["invoke", "ainvoke"])
def run(request, ledger):
    def run(model, budget, uses=(look_up,), more=None, **terms):
        ledger.open(ACCOUNT, budget)
        held = BudgetMiddleware(ledger, ACCOUNT, **terms)
        agent = create_agent(model, list(uses), middleware=[held], **(more or {}))
        if request.param == "invoke":
            return agent.invoke(ASK)
        return asyncio.run(agent.ainvoke(ASK))

    return run


def is_settled(server, ledger) -> bool:
    balance = ledger.balance(ACCOUNT)
    assert balance.reserved == Spend()
    assert balance.spent.tokens == server.bill.total_tokens
    assert balance.budget.covers(balance.spent)
    return True


@pytest.mark.parametrize("make", [client, claude], ids=["OpenAI", "Anthropic"])
@pytest.mark.parametrize(
    ("budget", "price"),
    [
        (Budget(max_tokens=6_000), Spend()),
        (Budget(max_cost_usd=0.03), Spend(cost_nano_usd=2_000_000)),
        (Budget(max_tool_calls=8), Spend()),
    ],
    ids=["tokens", "money", "calls"],
)
def test_an_agent_that_always_calls_tools_still_answers(run, server, ledger, make, budget, price):
    server.script(calls("tea"), KNOWN)
    result = run(make(server), budget, tools={"look_up": price})
    assert result["messages"][-1].text == "What I know."
    assert NOTE not in result["messages"][-1].response_metadata
    assert len(made) > 1
    assert is_settled(server, ledger)
    assert [may_call(request) for request in server.requests][-2:] == [True, False]


def test_a_tool_that_would_eat_the_answers_money_is_not_called(run, server, ledger):
    server.script(calls("tea", times=1), Answer("What I know."))
    price = Spend(cost_nano_usd=4_000_000)
    # Beside the first question the tool fits, and an answer, but not both.
    result = run(client(server), Budget(max_cost_usd=0.0062), tools={"look_up": price})
    assert result["messages"][-1].text == "What I know."
    assert made == []
    (told,) = [m.text for m in result["messages"] if isinstance(m, ToolMessage)]
    assert told.startswith("Not called: look_up does not fit: ")
    assert is_settled(server, ledger)


def test_a_model_in_a_tool_gets_what_is_left_beside_the_answer(run, server, ledger):
    @tool
    def ask(question: str) -> str:
        """Asks another model, and says how long its answer is."""
        return str(len(metered(client(server), ledger, ACCOUNT).invoke("Tell me all.").text))

    server.script(
        Answer(ToolCall("ask", {"question": "Tea?"})),
        Answer(tokens=9_000, when="Tell me all."),  # as long as its cap lets it
        KNOWN,
    )
    result = run(client(server), Budget(max_tokens=3_000), [ask])
    assert result["messages"][-1].text == "What I know."
    assert is_settled(server, ledger)


def test_tools_of_one_message_share_what_is_held(run, server, ledger):
    server.script(calls("tea", "coffee", "milk", times=1), KNOWN)
    # A question, three tools, and the answer.
    result = run(client(server), Budget(max_tool_calls=5))
    assert sorted(made) == ["coffee", "milk", "tea"]
    assert result["messages"][-1].text == "What I know."
    assert is_settled(server, ledger)


def test_without_tools_nothing_is_kept_back(run, server):
    budget = Budget(max_tokens=2_000)
    run(client(server), budget, ())
    run(client(server), budget)
    alone, with_tools = server.requests
    assert alone.input_tokens + alone.output_cap > 1_950
    kept = alone.output_cap - with_tools.output_cap
    assert kept > LAST_ANSWER_TOKENS + alone.input_tokens


class Verdict(BaseModel):
    """What was decided."""

    better: str


def test_a_last_answer_has_the_shape_that_is_wanted(run, server, ledger):
    verdict = Answer(
        ToolCall("Verdict", {"better": "tea"}),
        times=None,
        when=lambda request: len(request.body["tools"]) == 1,
    )
    wants = Answer(
        ToolCall("look_up", {"topic": "tea"}),
        times=None,
        when=lambda request: len(request.body["tools"]) == 2,
    )
    server.script(wants, verdict)
    more = {"response_format": ToolStrategy(Verdict)}
    result = run(client(server), Budget(max_tokens=3_000), more=more)
    assert result["structured_response"] == Verdict(better="tea")
    assert len(made) > 1
    assert is_settled(server, ledger)


def test_a_call_that_was_cut_in_its_arguments_is_followed_by_an_answer(run, server, ledger):
    server.script(Answer(ToolCall("look_up", {"topic": "tea " * 900}), when=may_call), KNOWN)
    result = run(client(server), Budget(max_tokens=1_000))
    assert result["messages"][-1].text == "What I know."
    assert made == []
    assert is_settled(server, ledger)


def test_what_is_held_is_free_again_after_a_crash(server, tmp_path):
    """Of the tool nobody knows whether it was called, and so it is charged."""

    @tool
    def die(topic: str) -> str:
        """Ends the process."""
        os._exit(9)

    def run_and_die():
        ledger = SqliteLedger(tmp_path / "spend.sqlite")
        ledger.open(ACCOUNT, Budget(max_tokens=3_000, max_tool_calls=9))
        held = BudgetMiddleware(ledger, ACCOUNT)
        create_agent(client(server), [die], middleware=[held]).invoke(ASK)

    server.script(Answer(ToolCall("die", {"topic": "tea"})))
    _, status = os.waitpid(fork_to(run_and_die), 0)
    assert os.waitstatus_to_exitcode(status) == 9
    ledger = SqliteLedger(tmp_path / "spend.sqlite")
    (hold,) = [entry for entry in ledger.entries(ACCOUNT) if entry.label == LABEL]
    assert hold.status == "unsent"
    ledger.sweep(ACCOUNT)
    balance = ledger.balance(ACCOUNT)
    assert balance.reserved == Spend()
    assert (balance.spent.tokens, balance.spent.tool_calls) == (server.bill.total_tokens, 2)
    ledger.disconnect()


@pytest.mark.parametrize(
    "note",
    [None, "all", {"tokens": 5}, {"tokens": -5, "cost_nano_usd": 0}, {"tokens": 1.5, "cost": 2}],
)
def test_a_note_that_is_none_keeps_nothing_back(note):
    from langchain_core.messages import AIMessage

    call = {"name": "look_up", "args": {}, "id": "1"}
    message = AIMessage("", tool_calls=[call], response_metadata={NOTE: note} if note else {})
    assert needed_after([message], "1") is None
    assert needed_after([message], "2") is None

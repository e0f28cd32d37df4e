"""A vendor's model in every way it can be called: capped, and settled at the server's bill."""

from dataclasses import replace

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel

from tests.harness.llm_server import Answer, ToolCall
from tests.models.conftest import ACCOUNT, entries
from tests.models.questions import look_up
from tests.models.ways import EVERY_WAY, TWO_WAYS, WAYS
from thrifty import Budget, BudgetExceeded, Spend
from thrifty.models.calls.whole_answers import DERIVED_CAP
from thrifty.models.providers.vendors import is_cut, is_metered_kind


@pytest.mark.parametrize("way", EVERY_WAY)
def test_every_way_of_calling_is_settled_at_the_servers_bill(make, server, ledger, vendor, way):
    counted = {part: 7 - number for number, part in enumerate(vendor.counts)}
    server.script(replace(Answer("Yes, indeed.", reasoning_tokens=30), **counted))
    model = make(Budget(max_tokens=2000, max_cost_usd=0.05))
    answer = WAYS[way](model, "Is tea better than coffee? " * 3)
    assert answer.text == "Yes, indeed."
    bill = server.bill
    (entry,) = entries(ledger)
    (request,) = server.requests
    assert request.api == vendor.api
    assert all(getattr(bill, part) for part in vendor.counts)
    assert entry.status == "settled"
    assert entry.charged.tokens == bill.total_tokens == answer.usage_metadata["total_tokens"]
    assert entry.charged.cost_nano_usd == vendor.prices.cost(bill)
    assert entry.charged.tool_calls == 1


@pytest.mark.parametrize("way", TWO_WAYS)
@pytest.mark.parametrize("limited", ["tokens", "money", "both"])
def test_the_cap_that_is_sent_is_all_that_tokens_and_money_afford(
    make, server, ledger, vendor, way, limited
):
    prices, slack = vendor.prices, vendor.input_slack_tokens
    money = {"max_cost_usd": prices.worst(slack + 40, 400) / 10**9}
    budget = Budget(
        max_tokens={"tokens": 700, "both": 9000}.get(limited),
        **({} if limited == "tokens" else money),
    )
    server.script(Answer(tokens=5000))
    WAYS[way](make(budget), "Tell me all.")
    (request,) = server.requests
    asked, cap = request.input_tokens, request.output_cap
    assert budget.covers(ledger.balance(ACCOUNT).spent)
    assert budget.covers(Spend(asked + cap, prices.worst(asked, cap)))
    assert not budget.covers(
        Spend(asked + slack + cap, prices.worst(asked + slack, cap + 1)),
    )


@pytest.mark.parametrize("way", TWO_WAYS)
def test_an_answer_that_was_cut_is_known_for_one(make, server, way):
    server.script(Answer(tokens=500), Answer("Yes."))
    cut = WAYS[way](make(Budget(max_tokens=400)), "Tell me all.")
    assert is_cut(cut)
    assert cut.response_metadata[DERIVED_CAP] == server.requests[0].output_cap
    assert not is_cut(WAYS[way](make(), "Tell me all."))


@pytest.mark.parametrize(
    ("limits", "short"),
    [
        ({"max_tokens": 20}, "tokens short"),
        ({"max_cost_usd": 0.000001}, r"\$.* short"),
        ({"max_tokens": 1000, "max_tool_calls": 0}, "1 call short"),
        ({"max_tokens": 1000, "max_latency_ms": 0}, "ms short"),
    ],
)
def test_what_does_not_fit_is_not_sent(make, server, ledger, limits, short):
    model = make(Budget(**limits))
    with pytest.raises(BudgetExceeded, match=short):
        model.invoke("Tell me all.")
    with pytest.raises(BudgetExceeded, match=short):
        list(model.stream("Tell me all."))
    assert not server.requests
    assert ledger.balance(ACCOUNT).reserved == ledger.balance(ACCOUNT).spent == Spend()


TALK = [
    SystemMessage("You are a librarian."),
    HumanMessage("What is tea?"),
    AIMessage("", tool_calls=[{"name": "look_up", "args": {"topic": "tea"}, "id": "call_1"}]),
    ToolMessage("All about tea. " * 20, tool_call_id="call_1"),
    HumanMessage([{"type": "text", "text": "So?"}]),
]


@pytest.mark.parametrize("way", TWO_WAYS)
@pytest.mark.parametrize("choice", [None, "any"])
def test_tools_and_talks_are_bounded_called_and_settled(make, server, ledger, way, choice):
    server.script(Answer(ToolCall("look_up", {"topic": "green tea"})))
    model = make(Budget(max_tokens=2_400)).bind_tools([look_up], tool_choice=choice)
    answer = WAYS[way](model, TALK)
    assert answer.tool_calls[0]["args"] == {"topic": "green tea"}
    (entry,) = entries(ledger)
    (request,) = server.requests
    assert [tool.name for tool in request.tools] == ["look_up"]
    assert entry.charged.tokens == server.bill.total_tokens
    assert request.input_tokens + request.output_cap <= 2_400


class Verdict(BaseModel):
    """What was decided."""

    better: str
    score: int


@pytest.mark.parametrize("said", [{"better": "tea", "score": 5}, {"better": 5}])
def test_structured_output_is_settled_whether_it_can_be_read_or_not(make, server, ledger, said):
    server.script(Answer(ToolCall("Verdict", said)))
    model = make().with_structured_output(Verdict, include_raw=True)
    answer = model.invoke("Tea or coffee?")
    assert answer["parsed"] == (Verdict(**said) if "score" in said else None)
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens > 0


def test_what_was_paid_under_a_run_is_not_paid_again_whichever_way_it_is_asked(make, server):
    server.script(Answer("Tea.", reasoning_tokens=20), Answer("Not this."))
    for way in ("invoke", "astream", "batch"):
        assert WAYS[way](make(run="morning"), "Tea or coffee?").text == "Tea."
    assert len(server.requests) == 1
    assert make(run="morning").invoke("Tea or juice?").text == "Not this."


def test_the_model_as_it_was_made_is_left_as_it_is(server, vendor, make):
    model = vendor.at(server)
    assert is_metered_kind(model)
    before = repr(model)
    make().invoke("Hi")
    assert repr(model) == before
    model.invoke("Hi")
    assert server.requests[0].output_cap != server.requests[1].output_cap

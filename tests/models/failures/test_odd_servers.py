"""Servers that count, refuse and put off in ways of their own."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from langchain_core.messages import HumanMessage

from tests.harness.llm_server import (
    Answer,
    ChatTemplate,
    ClaimedUsage,
    ErrorStatus,
    ReasoningApart,
    RunningUsage,
    TooManyRequests,
    TruncatedStream,
)
from tests.models.conftest import entries
from tests.models.questions import look_up
from tests.models.ways import EVERY_WAY, WAYS, joined
from thrifty import Budget, InvalidInput, ModelUnavailable, TokenPrice
from thrifty.models.costs import input_bound
from thrifty.models.guard.unmetered_request import UnmeteredRequest

STREAMED = [way for way in WAYS if "stream" in way]
LIMITED = Budget(max_tokens=3_000, max_cost_usd=0.05)


@pytest.mark.parametrize("way", EVERY_WAY)
def test_reasoning_that_is_counted_apart_is_paid(make, server, ledger, api, way):
    server.script(ReasoningApart(answer=Answer("Tea.", reasoning_tokens=300)))
    WAYS[way](make(LIMITED, api), "Tea or coffee?")
    (entry,) = entries(ledger)
    bill = server.bill
    assert entry.status == "settled"
    assert entry.charged.tokens == bill.total_tokens > 300
    assert entry.charged.cost_nano_usd == bill.input_tokens * 2_500 + bill.output_tokens * 10_000


@pytest.mark.parametrize("way", STREAMED)
def test_a_count_in_every_piece_is_not_added_up(make, server, ledger, way):
    server.script(RunningUsage(answer=Answer(tokens=60)))
    answer = WAYS[way](make(LIMITED), "Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.status == "settled"
    assert entry.charged.tokens == server.bill.total_tokens == answer.usage_metadata["total_tokens"]


@dataclass(frozen=True, kw_only=True)
class CountedAndCut(RunningUsage, TruncatedStream):
    """Says what was used so far, and ends before the answer does."""


@pytest.mark.parametrize("way", STREAMED)
def test_a_count_of_a_part_is_none_of_the_whole(make, server, ledger, way):
    server.script(CountedAndCut(answer=Answer(tokens=60), after_chunks=3))
    WAYS[way](make(Budget(max_tokens=900)), "Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.status == "in_doubt"
    assert entry.charged.tokens == entry.reserved.tokens >= server.bill.total_tokens


@pytest.mark.parametrize("claimed", [10**9 + 1, 10**15 - 100, 10**16])
def test_a_count_beyond_any_call_is_none(make, server, ledger, api, claimed):
    server.script(ClaimedUsage(output_tokens=claimed), Answer("Tea."))
    model = make(Budget(max_tokens=3_000), api, max_output_tokens=500)
    model.invoke("Tea or coffee?")
    assert model.invoke("Tea or coffee?").text == "Tea."
    lost, settled = entries(ledger)
    assert (lost.status, settled.status) == ("in_doubt", "settled")
    assert lost.charged.tokens == lost.reserved.tokens


def test_a_price_beyond_any_account_is_charged_in_full(make, server, ledger):
    dear = {"own": TokenPrice(Decimal(10_000), Decimal(1_000_000))}
    server.script(ClaimedUsage(output_tokens=10**9))
    make(Budget(max_cost_usd=900), model="own", prices=dear, max_output_tokens=50).invoke("Hi")
    (entry,) = entries(ledger)
    assert entry.status == "in_doubt"
    assert entry.charged.cost_nano_usd == entry.reserved.cost_nano_usd > 0


REFUSED = [400, 401, 402, 403, 404, 405, 413, 415, 422, 429]


@pytest.mark.parametrize("status", [*REFUSED, 408, 409, 418, 424, 500, 503])
def test_what_no_model_has_read_is_free(make, server, ledger, api, status):
    server.script(ErrorStatus(status=status, billed=status not in REFUSED))
    with pytest.raises(ModelUnavailable, match=rf"\({status}\)"):
        make(api=api, attempts_max=1).invoke("Tea or coffee?")
    (entry,) = entries(ledger)
    assert entry.status == ("released" if status in REFUSED else "in_doubt")
    assert entry.charged.tokens >= server.bill.total_tokens


@pytest.mark.parametrize("code", ["content_filter", "ResponsibleAIPolicyViolation"])
def test_what_a_filter_has_read_is_not(make, server, ledger, api, code):
    server.script(ErrorStatus(status=400, code=code, billed=True))
    with pytest.raises(ModelUnavailable, match=r"filter refused the request \(400\)"):
        make(api=api).invoke("Tea or coffee?")
    assert [entry.status for entry in entries(ledger)] == ["in_doubt"]
    assert len(server.requests) == 1


@pytest.mark.parametrize("asked_s", [60, 86_400])
def test_without_a_limit_on_time_nobody_waits_for_long(make, server, asked_s):
    server.script(TooManyRequests(retry_after_s=asked_s), Answer("Tea."))
    with pytest.raises(ModelUnavailable, match="too many requests"):
        make().invoke("Tea or coffee?")
    assert len(server.requests) == 1


INCLUDED = {"store": False, "include": ["reasoning.encrypted_content"]}
KEPT = [{}, {"output_version": "responses/v1"}, INCLUDED]


@pytest.mark.parametrize("options", KEPT)
@pytest.mark.parametrize("way", EVERY_WAY)
def test_reasoning_that_is_sent_again_is_input(make, server, ledger, way, options):
    server.script(Answer("Tea.", reasoning_tokens=400), Answer(tokens=900))
    model = make(LIMITED, "responses", "o4-mini", options, max_output_tokens=500)
    first = WAYS[way](model, "Tea or coffee?")
    WAYS[way](model, [HumanMessage("Tea or coffee?"), first, HumanMessage("Why?")])
    *_, again = entries(ledger)
    assert server.requests[1].input_tokens > 400
    assert again.charged.tokens == server.requests[1].bill.total_tokens
    assert not again.is_overrun


def test_reasoning_of_which_nobody_says_how_much_it_was_is_not_sent_again(make, server):
    server.script(Answer("Tea.", reasoning_tokens=400), Answer("Because."))
    model = make(LIMITED, "responses", "o4-mini", max_output_tokens=500)
    first = model.invoke("Tea or coffee?").model_copy(update={"usage_metadata": None})
    with pytest.raises(InvalidInput, match=r"reasoning by its id.*store=False"):
        model.invoke([HumanMessage("Tea or coffee?"), first, HumanMessage("Why?")])
    assert len(server.requests) == 1


def test_the_responses_api_has_one_name_for_the_cap(make, server):
    model = make(api="responses", cap_field="max_tokens")
    model.invoke("Tea or coffee?", max_tokens=50)
    assert joined(list(model.stream("Tea or coffee?", max_tokens=50))).text
    assert [request.output_cap for request in server.requests] == [50, 50]


@pytest.mark.parametrize(("has_tools", "told"), [(False, 60), (True, 530)])
def test_what_a_server_tells_its_model_unseen_has_room_metered_and_guarded(
    make, server, ledger, monkeypatch, has_tools, told
):
    """Its chat template says who the model is, and explains tools."""
    monkeypatch.setattr(input_bound, "OPENAI_HOSTS", (".openai.com",))
    server.script(ChatTemplate(added_tokens=told, answer=Answer(tokens=500)))
    model = make(Budget(max_tokens=3_000), "chat", "llama3", max_output_tokens=20)
    (model.bind_tools([look_up]) if has_tools else model).invoke("Hi")
    (entry,) = entries(ledger)
    assert (entry.status, entry.is_overrun) == ("settled", False)
    assert entry.charged.tokens == server.bill.total_tokens
    # The guard holds the very same for a model of other people's.
    body = server.requests[0].body
    sent = {"model": "llama3", "max_tokens": 20, **body}
    guarded = UnmeteredRequest.read({"messages": body["messages"]}, sent, address=server.base_url)
    assert guarded.tokens == entry.reserved.tokens

"""Google's models, metered: what is theirs alone, at the wire."""

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import current_thread
from typing import Any

import pytest
from google.genai import types
from google.oauth2.credentials import Credentials
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_google_genai import ChatGoogleGenerativeAI

from tests.harness.llm_server import (
    Answer,
    Behaviour,
    BlockedPrompt,
    ErrorStatus,
    ServerError,
    ToolCall,
    http,
)
from tests.harness.llm_server.question import JSON
from tests.harness.llm_server.reply import Reply
from tests.harness.llm_server.stage import Stage
from tests.models.conftest import ACCOUNT, entries
from tests.models.ways import TWO_WAYS, WAYS
from thrifty import Budget, ModelUnavailable, TokenPrice, metered
from thrifty.models.providers.vendors import is_cut

IN, CACHED, SOUND, OUT = 300, 30, 1_000, 2_500
"""Nano-USD a token of gemini-2.5-flash."""
SPEECH = {"type": "audio", "base64": "QUFB", "mime_type": "audio/mp3"}
BOTH_WAYS = pytest.mark.parametrize("way", TWO_WAYS)


@pytest.fixture
def gemini(server) -> Callable[..., Any]:
    def made(**options: Any) -> Any:
        given = {"base_url": server.root_url, "api_key": "AIza-test", **options}
        return ChatGoogleGenerativeAI(**{"model": "gemini-2.5-flash", **given})

    return made


@pytest.fixture
def make(gemini, ledger) -> Callable[..., Any]:
    def make(budget: Any = Budget(max_tokens=9_000), made: Any = None, **terms: Any) -> Any:  # noqa: B008
        ledger.open(ACCOUNT, budget)
        return metered(gemini(**(made or {})), ledger, ACCOUNT, **terms)

    return make


@dataclass(frozen=True, kw_only=True)
class Changed(Behaviour):
    """Answers with something changed in what it sends, be it whole or each event."""

    change: Callable[[JSON], JSON]

    async def send(self, stage: Stage, reply: Reply) -> None:
        if not stage.request.stream:
            return await stage.send_json(200, self.change(stage.dialect.whole(reply)))
        *events, last = [
            replace(event, data=self.change(event.data)) for event in stage.dialect.events(reply)
        ]
        await stage.wire.write(stage.stream_head())
        await stage.send_events(reply, events)
        stage.finish(completed=True)
        await stage.wire.write(stage.chunk(last, len(events)) + http.LAST_CHUNK)


@BOTH_WAYS
def test_thought_is_output_in_the_count_that_comes_with_an_answer(make, server, way):
    server.script(Answer("Yes.", reasoning_tokens=9))
    counted = WAYS[way](make(), "Hi").usage_metadata
    assert counted["output_tokens"] == server.bill.output_tokens == 11


@BOTH_WAYS
def test_sound_is_settled_at_its_price(make, server, ledger, way):
    server.script(Answer("Yes.", audio_input_tokens=9, cached_input_tokens=4))
    money = Budget(max_cost_usd=0.05)
    WAYS[way](make(money, tokens_per_attachment=1_500), [HumanMessage([SPEECH])])
    (entry,), bill = entries(ledger), server.bill
    plain = bill.input_tokens - 13
    assert entry.charged.cost_nano_usd == plain * IN + 4 * CACHED + 9 * SOUND + 2 * OUT
    assert entry.reserved.cost_nano_usd > 1_500 * SOUND


@BOTH_WAYS
def test_what_is_drawn_has_no_price_and_is_charged_as_it_was_held(make, server, ledger, way):
    def draw(answer: JSON) -> JSON:
        drawn = [{"modality": "IMAGE", "tokenCount": 2}]
        answer["usageMetadata"]["candidatesTokensDetails"] = drawn
        return answer

    server.script(Changed(answer=Answer("Yes."), change=draw))
    WAYS[way](make(Budget(max_cost_usd=0.05)), "Draw")
    (entry,) = entries(ledger)
    assert entry.charged.cost_nano_usd == entry.reserved.cost_nano_usd


@BOTH_WAYS
def test_what_a_tool_of_googles_has_read_is_input(make, server, ledger, way):
    def read_more(answer: JSON) -> JSON:
        answer["usageMetadata"]["toolUsePromptTokenCount"] = 55
        return answer

    server.script(Changed(answer=Answer("Yes."), change=read_more))
    WAYS[way](make(Budget(max_tokens=2_000, max_cost_usd=1)), "Hi")
    (entry,) = entries(ledger)
    assert entry.charged.tokens == server.bill.total_tokens + 55
    assert entry.charged.cost_nano_usd == (server.bill.input_tokens + 55) * IN + 2 * OUT


@BOTH_WAYS
def test_a_tier_is_charged_as_it_was_asked_for(make, server, ledger, way):
    dear = {"priority": TokenPrice(3, 25)}
    model = make(prices={"gemini-2.5-flash": TokenPrice(0.3, 2.5, tiers=dear)})
    WAYS[way](model.bind(service_tier="priority"), "Hi")
    bill = server.bill
    assert entries(ledger)[0].charged.cost_nano_usd == (
        bill.input_tokens * 3_000 + bill.output_tokens * 25_000
    )


@BOTH_WAYS
def test_a_question_that_a_filter_blocks_is_charged_as_input(make, server, ledger, way):
    server.script(BlockedPrompt(answer=Answer(tokens=50)))
    answer = WAYS[way](make(), "Something awful")
    (entry,) = entries(ledger)
    assert entry.status == "settled"
    assert entry.charged.tokens == server.bill.total_tokens == server.bill.input_tokens > 0
    assert answer.text == ""
    assert answer.response_metadata["prompt_feedback"]["block_reason"] == "PROHIBITED_CONTENT"


@BOTH_WAYS
def test_one_call_is_one_request_though_the_client_would_go_on(make, server, ledger, way):
    """Where Gemini stops at a limit of its own, the client asks for the rest by itself."""

    def stop_short(answer: JSON) -> JSON:
        if "finishReason" in answer["candidates"][0]:
            more = {"finishReason": "CONTINUATION", "continuationToken": "QUFB"}
            answer["candidates"][0].update(more)
        return answer

    server.default = Changed(answer=Answer("A beginning"), change=stop_short)
    assert is_cut(WAYS[way](make(), "Hi"))
    assert len(server.requests) == 1
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


@pytest.mark.parametrize("thinks", [False, True])
def test_the_counts_in_the_pieces_of_a_stream_add_up_to_the_bill(make, server, thinks):
    server.script(Answer(tokens=40, reasoning_tokens=30 * thinks, chunk_tokens=3))
    pieces = list(make(made={"include_thoughts": True}).stream("Hi"))
    assert len(pieces) > 10
    whole = sum(pieces[1:], pieces[0])
    assert isinstance(whole, AIMessageChunk)
    assert whole.usage_metadata["total_tokens"] == server.bill.total_tokens
    assert whole.usage_metadata["input_tokens"] == server.bill.input_tokens
    assert whole.usage_metadata["output_tokens"] == server.bill.output_tokens


@BOTH_WAYS
def test_thought_that_is_sent_back_is_within_its_bound(make, server, ledger, way):
    server.script(Answer(ToolCall("f", {"x": 1}), reasoning_tokens=200), Answer("Yes."))
    model = make()
    first = WAYS[way](model, "Hi")
    result = {"role": "tool", "content": "Done.", "tool_call_id": first.tool_calls[0]["id"]}
    WAYS[way](model, [HumanMessage("Hi"), first, result])
    last = server.requests[-1]
    assert last.input_tokens > 200
    assert entries(ledger)[-1].reserved.tokens >= last.input_tokens + last.output_cap


def error(status: int, name: str, message: str = "No.", **told: Any) -> ErrorStatus:
    body = {"error": {"code": status, "message": message, "status": name, **told}}
    return ErrorStatus(status=status, body=body)


INFO = "type.googleapis.com/google.rpc."


@BOTH_WAYS
def test_a_wait_that_is_asked_for_in_the_body_is_kept(make, server, ledger, way):
    details = [
        {"@type": f"{INFO}QuotaFailure", "violations": []},
        {"@type": f"{INFO}RetryInfo", "retryDelay": "0.02s"},
    ]
    busy = error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", details=details)
    server.script(busy, Answer("Tea."))
    assert WAYS[way](make(), "Tea or coffee?").text == "Tea."
    first, second = server.requests
    assert 0.02 <= second.received_at_s - first.ended_at_s < 0.4
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


ENDED = {
    "check its key": error(
        *(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
        details=[{"@type": f"{INFO}ErrorInfo", "reason": "API_KEY_INVALID"}],
    ),
    "check what its key may do": error(403, "PERMISSION_DENIED"),
    "check its name": error(404, "NOT_FOUND", "models/x is not found for API version v1beta"),
}


@BOTH_WAYS
@pytest.mark.parametrize("remedy", ENDED)
def test_what_ends_a_model_is_free_and_said(make, server, ledger, remedy, way):
    server.script(ENDED[remedy])
    with pytest.raises(ModelUnavailable, match=remedy) as raised:
        WAYS[way](make(), "Hi")
    assert raised.value.for_good
    assert [entry.status for entry in entries(ledger)] == ["released"]


@BOTH_WAYS
@pytest.mark.parametrize(
    ("failed", "status"),
    [
        (error(503, "UNAVAILABLE", "The model is overloaded."), "released"),
        (ServerError(), "in_doubt"),
    ],
)
def test_no_room_is_free_and_a_failure_is_not(make, server, ledger, failed, status, way):
    server.default = failed
    with pytest.raises(ModelUnavailable, match="the server failed"):
        WAYS[way](make(attempts_max=1), "Hi")
    assert [entry.status for entry in entries(ledger)] == [status]


def test_vertex_is_asked_by_the_same_client(gemini, server, ledger):
    place = {"vertexai": True, "project": "shop", "location": "europe-west1", "api_key": None}
    ledger.open(ACCOUNT, Budget(max_tokens=9_000, max_cost_usd=1))
    model = metered(gemini(**place, credentials=Credentials("token")), ledger, ACCOUNT)
    for way in TWO_WAYS:
        assert WAYS[way](model, "Hi").text
    assert {request.path.rpartition(":")[0] for request in server.requests} == {
        "/v1beta1/projects/shop/locations/europe-west1/publishers/google/models/gemini-2.5-flash"
    }
    assert server.requests[0].headers["authorization"] == "Bearer token"
    assert ledger.balance(ACCOUNT).spent.tokens == server.bill.total_tokens


def test_arguments_of_the_owners_client_are_kept(make, server, ledger):
    headers = {"client_args": {"headers": {"x-team": "7"}}}
    make(made=headers).invoke("Hi")
    assert server.requests[0].headers["x-team"] == "7"
    with pytest.raises(ModelUnavailable):
        make(made={**headers, "base_url": "http://127.0.0.1:9"}).invoke("Hi")
    assert [entry.status for entry in entries(ledger)] == ["settled", "released"]


def test_the_owners_client_is_not_bound_to_the_loop_of_metered_calls(gemini, server, ledger):
    ledger.open(ACCOUNT, Budget(max_tokens=9_000))
    model = gemini()
    metered(model, ledger, ACCOUNT).invoke("Hi")
    gc.collect()
    assert model.invoke("Hi").text  # what was metered is gone, and has closed nothing

    async def use_and_close() -> None:
        await model.ainvoke("Hi")
        await model.aclose()

    asyncio.run(use_and_close())
    metered(gemini(), ledger, ACCOUNT).invoke("Hi")
    assert len(server.requests) == 4


def test_a_long_answer_is_read_beside_the_loop(make, server, monkeypatch):
    read_in, read = [], types.GenerateContentResponse._from_response

    def noting(**given: Any) -> Any:
        read_in.append(current_thread().name)
        return read(**given)

    monkeypatch.setattr(types.GenerateContentResponse, "_from_response", noting)
    server.script(Answer("Yes."), Answer("yes " * 20_000))
    model = make(Budget(max_tokens=90_000))
    assert model.invoke("Short").text == "Yes."
    assert len(model.invoke("Long").text) == 80_000
    assert [name.split("_")[0] for name in read_in] == ["thrifty-models", "thrifty-parser"]

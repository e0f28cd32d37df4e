"""A request alone: what it asks, the caps that were set for it, and what comes back."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI

from tests.conftest import REAL_HOSTS
from tests.harness.llm_server import Answer
from tests.models.conftest import client
from thrifty import Budget, InvalidInput, Model, Settings
from thrifty.models.costs import input_bound
from thrifty.models.costs.input_bound import MESSAGE_OVERHEAD_TOKENS, TEMPLATE_TOKENS
from thrifty.models.providers.openai import OpenAIModel
from thrifty.models.providers.openai_likes import RESPONSES_CAP_MIN
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.models.wire.background_loop import background_loop
from thrifty.models.wire.exchange import watch_exchange

INPUT = 4 + MESSAGE_OVERHEAD_TOKENS
PLAIN = {"stop": None, "service_tier": "default"}
"""What each request is sent with at an address of OpenAI's."""
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def model(api: str = "chat", name: str = "own", **options: Any) -> ChatOpenAI:
    nobody = SimpleNamespace(base_url="http://127.0.0.1:9/v1")
    return client(nobody, api, name, **options)


def request(
    text: Any = "four",
    of: ChatOpenAI | None = None,
    *,
    stop: list[str] | None = None,
    bounds: CallBounds = CallBounds(500),  # noqa: B008 - frozen
    **options: Any,
) -> VendorRequest:
    return OpenAIModel(of or model()).request([HumanMessage(text)], stop, options, bounds)


@pytest.mark.parametrize(
    ("made", "asked", "cap"),
    [
        ({}, {}, None),
        ({"max_tokens": 40}, {}, 40),
        ({"extra_body": {"max_tokens": 40}}, {}, 40),
        ({}, {"max_output_tokens": 40}, 40),
        ({}, {"extra_body": {"max_tokens": 40}}, 40),
        ({"max_tokens": 40}, {"max_tokens": 30}, 30),
        ({"max_tokens": 30}, {"max_tokens": 40}, 30),
        ({}, {"max_tokens": None}, None),
        ({}, {"max_tokens": 1}, 1),
    ],
)
def test_the_smallest_cap_that_the_caller_set_counts_and_none_is_left_in_the_body(made, asked, cap):
    one = request(of=model(**made), **asked)
    assert one.cap_wanted == cap
    caps = ("max_tokens", "max_completion_tokens", "max_output_tokens")
    assert not [name for name in caps if one.body.get(name) is not None]


def test_a_cap_among_the_arguments_of_the_model_counts_as_well():
    given = model().model_copy(update={"model_kwargs": {"max_completion_tokens": 40, "seed": 7}})
    one = request(of=given)
    assert (one.cap_wanted, one.body["seed"]) == (40, 7)
    assert "max_completion_tokens" not in one.body


@pytest.mark.parametrize("cap", [0, -1, 1.5, True, "40"])
def test_a_cap_that_is_no_count_is_refused(cap):
    with pytest.raises(InvalidInput) as refused:
        request(max_tokens=cap)
    assert (refused.value.field, refused.value.value) == ("max_tokens", cap)
    assert "whole number from 1" in str(refused.value)


def test_the_responses_api_takes_no_cap_below_its_own():
    assert request(of=model("responses")).cap_min == RESPONSES_CAP_MIN == 16
    assert request().cap_min == 1
    assert request(of=model("responses"), max_tokens=16).cap_wanted == 16
    assert request(max_tokens=15).cap_wanted == 15
    with pytest.raises(InvalidInput) as refused:
        request(of=model("responses"), max_tokens=15)
    assert (refused.value.field, refused.value.value) == ("max_tokens", 15)
    assert "use 16 or more" in str(refused.value)


def test_one_answer_is_asked_for_at_a_time():
    assert request(n=1).body["n"] == 1
    with pytest.raises(InvalidInput, match="ask once for each answer") as refused:
        request(n=2)
    assert (refused.value.field, refused.value.value) == ("n", 2)


def test_it_knows_whom_it_asks_and_how():
    one = request(service_tier="flex")
    assert (one.model, one.provider, one.tier) == ("own", "openai", "flex")
    assert request(service_tier="auto").tier == "auto"
    azure = request()
    azure.connected = SimpleNamespace(_get_ls_params=lambda: {"ls_provider": "azure"})
    assert azure.provider == "azure"
    azure.connected = SimpleNamespace(_get_ls_params=dict)
    assert azure.provider == "openai"


def test_a_role_speaks_the_protocol_that_was_said_of_its_server():
    said = {"responses": True, "chat": False}
    for api, is_responses in said.items():
        named = Model("gpt-4o", base_url="http://127.0.0.1:9/v1", api=api)
        (role,) = ModelRoles(Settings(models={"strong": named}))
        assert OpenAIModel.of_role(role).given.use_responses_api is is_responses


def test_the_model_that_is_asked_is_the_one_whose_tokens_are_counted():
    text = "Give the fleet a dashboard. " * 10
    counted = request(text, of=model(name="gpt-4o"))
    asked = request(text, model="gpt-4o")
    assert (asked.model, asked.input_tokens) == ("gpt-4o", counted.input_tokens)
    assert request(text, of=model(name="gpt-4o"), model="own").input_tokens > counted.input_tokens


@pytest.mark.parametrize("left_open", [{}, {"service_tier": None}])
def test_at_openai_no_tier_is_left_to_the_project(monkeypatch, api, left_open):
    one = request(of=model(api), **left_open)
    assert one.tier == one.body["service_tier"] == one.options["service_tier"] == "default"
    monkeypatch.setattr(input_bound, "OPENAI_HOSTS", (".openai.com",))
    elsewhere = request(of=model(api), **left_open)
    assert elsewhere.tier == ""
    assert not elsewhere.body.get("service_tier")


@pytest.mark.parametrize("name", ["gpt-4o-search-preview", "o4-mini-deep-research"])
def test_a_model_that_searches_by_itself_is_refused_while_money_is_limited(name):
    one = request(of=model(name=name))
    with pytest.raises(
        InvalidInput, match=rf"{name}.*each use has a fee: declare it, as in metered"
    ):
        one.check_bounded(Budget(max_cost_usd=1))
    one.check_bounded(Budget(max_tokens=900))


def test_the_body_is_what_the_client_sends_with_what_it_merges():
    one = request(of=model(extra_body={"top_k": 3}), stop=["END"], temperature=0.5)
    assert (one.body["top_k"], one.body["stop"], one.body["temperature"]) == (3, ["END"], 0.5)
    assert one.body["messages"] == [{"role": "user", "content": "four"}]
    assert "extra_body" not in one.body


def test_the_model_that_was_given_stays_as_it_was():
    given = model(max_tokens=40, extra_body={"max_tokens": 30, "top_k": 3})
    request(of=given)
    assert (given.max_tokens, given.extra_body) == (40, {"max_tokens": 30, "top_k": 3})


def test_the_same_question_has_the_same_digest_however_it_is_sent():
    one = request().digest
    assert request(max_tokens=40).digest == one
    assert request(stream=True, stream_options={"include_usage": True}).digest == one
    assert request(timeout=3, extra_headers={"a": "b"}, extra_query={"a": "b"}).digest == one
    assert request(of=model(max_tokens=9)).digest == one


def test_another_question_has_another_digest():
    others = [
        request("five").digest,
        request(stop=["END"]).digest,
        request(temperature=0.5).digest,
        request(of=model(name="other")).digest,
        request(tools=[{"type": "function", "function": {"name": "f"}}]).digest,
        request(extra_body={"top_k": 3}).digest,
        request().digest,
    ]
    assert len(set(others)) == len(others)


@pytest.mark.parametrize("limits", [{"max_tokens": 10}, {"max_cost_usd": 1}])
@pytest.mark.parametrize(
    ("one", "told"),
    [
        ({"web_search_options": {"a": 1}}, "leave it out, or limit neither tokens nor cost"),
        ({"text": [IMAGE, IMAGE]}, "2 images or files"),
    ],
)
def test_what_has_no_bound_is_refused_where_tokens_or_money_are_limited(limits, one, told):
    unbounded = request(**one)
    with pytest.raises(InvalidInput, match=told) as refused:
        unbounded.check_bounded(Budget(**limits))
    assert refused.value.field == ("messages" if "text" in one else "request")
    unbounded.check_bounded(Budget(max_tool_calls=1, max_latency_ms=1))
    request().check_bounded(Budget(**limits))


def test_an_image_has_a_bound_where_one_was_given():
    bounded = request([IMAGE, {"type": "text", "text": "four"}], bounds=CallBounds(500, 1_000))
    bounded.check_bounded(Budget(max_tokens=10))
    assert bounded.input_tokens == 1_000 + INPUT
    unbounded = request([IMAGE])
    assert unbounded.input_tokens == MESSAGE_OVERHEAD_TOKENS
    with pytest.raises(InvalidInput, match=r"tokens_per_attachment=1_500") as refused:
        unbounded.check_bounded(Budget(max_tokens=10))
    assert refused.value.value == "1 images or files"


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
COUNTED = {"input_tokens": 9, "output_tokens": 300, "total_tokens": 309}


def reasoned(api: str, usage: Any) -> VendorRequest:
    """A call that sends an answer again which was thought about."""
    text = {"type": "text", "text": "four"}
    messages = [AIMessage([THOUGHT, text], usage_metadata=usage), HumanMessage("four")]
    return OpenAIModel(model(api)).request(messages, None, {}, CallBounds(500))


def test_kept_reasoning_is_input_of_the_api_that_keeps_it():
    bare = reasoned("responses", {**COUNTED, "output_tokens": 1, "total_tokens": 10})
    assert reasoned("responses", COUNTED).input_tokens == bare.input_tokens + 299
    assert reasoned("chat", COUNTED).input_tokens == reasoned("chat", None).input_tokens
    for one in (bare, reasoned("chat", None)):
        one.check_bounded(Budget(max_tokens=1))
    uncounted = reasoned("responses", None)
    assert uncounted.input_tokens == bare.input_tokens - 1
    uncounted.check_bounded(Budget(max_tool_calls=1))
    with pytest.raises(InvalidInput) as refused:
        uncounted.check_bounded(Budget(max_cost_usd=1))
    told = refused.value
    assert (told.field, told.value) == (
        "messages",
        "reasoning by its id, in a message without usage_metadata",
    )
    assert told.remedy == (
        "send messages as the model gave them, or use "
        'ChatOpenAI(store=False, include=["reasoning.encrypted_content"])'
    )


@pytest.mark.parametrize("streams", [False, True])
def test_it_is_sent_with_the_cap_and_brings_back_what_was_said_of_it(server, api, streams):
    server.script(Answer("Yes, it is."))
    one = request(of=client(server, api, "gpt-4o", max_tokens=400), stop=["END"], top_p=0.5)
    pieces: list[Any] = []
    loop = background_loop()
    sent = one.send(40, pieces.append if streams else None)
    answer = loop.run(lambda left: loop.await_call(sent, None, left))
    body = server.requests[0].body
    assert body.get("max_completion_tokens", body.get("max_output_tokens")) == 40
    assert body["top_p"] == 0.5
    assert (body.get("stop") == ["END"]) == (api == "chat")
    assert answer.message.text == "Yes, it is."
    assert answer.message.response_metadata["model_name"].startswith("gpt-4o")
    assert answer.message.usage_metadata["input_tokens"] == server.bill.input_tokens
    assert "".join(piece.message.text for piece in pieces) == ("Yes, it is." if streams else "")


def sent_options(one: VendorRequest) -> dict[str, Any]:
    """What the client is called with, when a request is sent with a cap of 40."""
    sent: dict[str, Any] = {}

    async def generate(messages: Any, **options: Any) -> ChatResult:
        sent.update(options)
        return ChatResult(generations=[ChatGeneration(message=AIMessage("Yes."))])

    one.connected = SimpleNamespace(extra_body=one.connected.extra_body, _agenerate=generate)
    asyncio.run(one.send(40))
    return sent


def test_the_older_name_of_the_cap_goes_with_the_rest_of_the_extra_body():
    bounds = CallBounds(500, cap_field="max_tokens")
    one = request(of=model(extra_body={"a": 1, "b": 1}), bounds=bounds, extra_body={"b": 2, "c": 2})
    sent = {**PLAIN, "extra_body": {"a": 1, "b": 2, "c": 2, "max_tokens": 40}}
    assert sent_options(one) == sent
    sent["extra_body"] = {"max_tokens": 40}
    assert sent_options(request(bounds=bounds)) == sent
    capped = {**PLAIN, "max_completion_tokens": 40}
    assert sent_options(request()) == capped
    assert sent_options(request(of=model("responses"), bounds=bounds)) == capped


class Streaming:
    """A model that streams these pieces."""

    def __init__(self, *pieces: ChatGenerationChunk) -> None:
        self.pieces, self.asked = pieces, []

    async def _astream(self, messages: Any, **options: Any) -> Any:
        self.asked.append((messages, options))
        for piece in self.pieces:
            yield piece


def piece(text: str, said: dict[str, Any] | None = None, **metadata: Any) -> ChatGenerationChunk:
    message = AIMessageChunk(text, response_metadata=metadata)
    return ChatGenerationChunk(message=message, generation_info=said)


def test_pieces_of_a_stream_are_handed_over_as_copies_and_put_together():
    one, pieces = request(stop=["END"]), []
    streaming = Streaming(piece("Yes, ", {"a": 1}), piece("it is.", {"b": 1}, b=2))
    one.connected = streaming
    whole = asyncio.run(one.send(40, pieces.append))
    assert streaming.asked == [
        (one.messages, {**PLAIN, "stop": ["END"], "max_completion_tokens": 40}),
    ]
    assert whole.message.text == "Yes, it is."
    assert whole.message.response_metadata == {"a": 1, "b": 2}
    assert [p.message.text for p in pieces] == ["Yes, ", "it is."]
    for handed, kept in zip(pieces, streaming.pieces, strict=True):
        assert handed is not kept
        assert handed.message is not kept.message


def test_all_that_was_said_of_an_answer_stands_in_its_metadata():
    message = AIMessage("Yes.", response_metadata={"c": 3})
    info = {"b": 2, "c": 2}
    told = {"token_usage": {"prompt_tokens": 9}, "a": 1, "b": 1, "c": 1}

    def answer(headers: Mapping[str, str], llm_output: Any, said: Any = info) -> dict[str, Any]:
        one = request()

        async def generate(messages: Any, **options: Any) -> ChatResult:
            whole = ChatGeneration(message=message.model_copy(), generation_info=said)
            return ChatResult(generations=[whole], llm_output=llm_output)

        one.connected = SimpleNamespace(_agenerate=generate)
        with watch_exchange() as exchange:
            exchange.headers = headers
            return asyncio.run(one.send(40)).message.response_metadata

    kept = {"a": 1, "b": 2, "c": 3}
    assert answer({}, told) == {**kept, "token_usage": {"prompt_tokens": 9}}
    cost = {"x-litellm-response-cost": "0.2"}
    counted = {"cost": "0.2", "prompt_tokens": 9}
    assert answer(cost, told) == {**kept, "token_usage": counted}
    assert answer(cost, None, None) == {"c": 3, "token_usage": {"cost": "0.2"}}
    assert answer({}, None, None) == {"c": 3}


def test_the_last_count_in_the_servers_own_words_stands_beside_the_whole():
    one, pieces = request(), []
    first, last = {"token_usage": {"n": 1}}, {"token_usage": {"n": 2}}
    one.connected = Streaming(piece("Yes, ", **first), piece("it ", **last), piece("is."))
    whole = asyncio.run(one.send(40, pieces.append))
    assert whole.message.response_metadata == last
    assert [each.message.response_metadata for each in pieces] == [{}, {}, {}]


def counting(tokens_out: int | None, said: dict[str, Any] | None = None, **metadata: Any) -> Any:
    """A piece that says what was used so far; None says nothing."""
    told = piece("x", said, **metadata)
    if tokens_out is not None:
        usage = {"input_tokens": 10, "output_tokens": tokens_out, "total_tokens": 10 + tokens_out}
        told.message.usage_metadata = usage
    return told


@pytest.mark.parametrize(
    ("counts", "total"), [((1, 2, 3), 13), ((None, 7), 17), ((7, None), 17), ((5, 5), 15)]
)
@pytest.mark.parametrize("end", [({"finish_reason": "stop"}, {}), (None, {"status": "completed"})])
def test_what_a_stream_counts_in_each_piece_is_what_it_has_come_to(counts, total, end):
    said, metadata = end
    one, pieces = request(), []
    *first, last = counts
    one.connected = Streaming(*(counting(n) for n in first), counting(last, said, **metadata))
    whole = asyncio.run(one.send(40, pieces.append))
    assert whole.message.usage_metadata["total_tokens"] == total
    handed = sum(pieces[1:], pieces[0])
    assert handed.message.usage_metadata == whole.message.usage_metadata


def test_what_a_stream_counts_that_does_not_end_is_no_count():
    one = request()
    one.connected = Streaming(counting(1), counting(2))
    assert asyncio.run(one.send(40, lambda piece: None)).message.usage_metadata is None


def test_a_stream_that_brings_nothing_is_no_answer():
    one = request()
    one.connected = Streaming()
    with pytest.raises(ValueError, match="a stream without a piece"):
        asyncio.run(one.send(40, lambda piece: None))
    one.connected = Streaming(piece("Yes."))
    assert asyncio.run(one.send(40, lambda piece: None)).message.response_metadata == {}


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_familiar_name_at_another_address_is_bounded_by_bytes(monkeypatch, api):
    text = "Give the fleet a dashboard. " * 10
    counted = request(text, of=model(api, "gpt-4o")).input_tokens
    monkeypatch.setattr(input_bound, "OPENAI_HOSTS", REAL_HOSTS)
    bounded = request(text, of=model(api, "gpt-4o")).input_tokens
    assert bounded == len(text) + MESSAGE_OVERHEAD_TOKENS + TEMPLATE_TOKENS > counted

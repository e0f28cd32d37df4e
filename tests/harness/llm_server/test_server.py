"""The tests' server answers as OpenAI does, counts truly and keeps true records."""

import asyncio
import json
import threading
from collections.abc import Iterator
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any, Literal, get_type_hints

import httpx
import openai
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_openai import ChatOpenAI
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from pydantic import BaseModel
from rs_bpe import openai as vocabularies

from tests.harness.llm_server import (
    Answer,
    Bill,
    Hang,
    LLMServer,
    Request,
    ServerError,
    ToolCall,
    chat_question,
    responses_question,
)
from tests.harness.llm_server.prose import exactly
from tests.harness.llm_server.samples import sample
from tests.harness.llm_server.script_file import load
from tests.harness.llm_server.together import Together

BOTH_APIS = pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"])
STREAMED_OR_NOT = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
HARD_TEXT = 'naïve "quotes"\n\t日本語 𓀀𓀁 👩‍👩‍👧 <|endoftext|> \x1b[31m [/] ' + "\u202e"


class Step(BaseModel):
    """A step of a plan."""

    name: str
    minutes: int


class Plan(BaseModel):
    """A plan."""

    steps: list[Step]
    note: str | None = None


@pytest.fixture(scope="module")
def running() -> Iterator[LLMServer]:
    # One for the whole file: each new address costs a client 50 ms.
    with LLMServer() as server:
        yield server


@pytest.fixture
def server(running: LLMServer) -> Iterator[LLMServer]:
    yield running
    running.clear()
    running.default = Answer()


def model(server: LLMServer, responses: bool, **options: Any) -> ChatOpenAI:
    settings: dict[str, Any] = {"max_retries": 0, "timeout": 5, "stream_usage": True, **options}
    return ChatOpenAI(
        model="gpt-4.1",
        base_url=server.base_url,
        api_key="sk-test",  # type: ignore[arg-type]
        use_responses_api=responses,
        **settings,
    )


def ask(chat: ChatOpenAI, prompt: str, *, stream: bool, **options: Any) -> AIMessage:
    if not stream:
        return chat.invoke(prompt, **options)
    chunks: list[AIMessageChunk] = list(chat.stream(prompt, **options))
    return reduce(add, chunks)


def usage_of(message: AIMessage) -> Bill:
    assert message.usage_metadata is not None
    usage = message.usage_metadata
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    return Bill(
        usage["input_tokens"],
        usage["output_tokens"],
        usage["output_token_details"]["reasoning"],
        usage["input_token_details"]["cache_read"],
    )


@pytest.fixture
def client(server: LLMServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.base_url, api_key="sk-test", max_retries=0) as asking:
        yield asking


def post(server: LLMServer, path: str, body: object, **options: Any) -> httpx.Response:
    return httpx.post(f"{server.base_url}/{path}", json=body, timeout=240, **options)


# Answers


@BOTH_APIS
@STREAMED_OR_NOT
def test_scripted_text_arrives_and_the_usage_is_the_bill(
    server: LLMServer, responses: bool, stream: bool
) -> None:
    server.script(Answer(HARD_TEXT, reasoning_tokens=30, cached_input_tokens=4))
    message = ask(model(server, responses), "Plan a bakery", stream=stream)
    assert message.text == HARD_TEXT
    assert usage_of(message) == server.requests[0].bill == server.bill
    text_tokens = len(vocabularies.o200k_base().encode(HARD_TEXT))
    assert server.bill.output_tokens == text_tokens + 30
    assert (server.bill.reasoning_tokens, server.bill.cached_input_tokens) == (30, 4)


@BOTH_APIS
@STREAMED_OR_NOT
def test_an_output_cap_cuts_the_text(server: LLMServer, responses: bool, stream: bool) -> None:
    server.script(Answer(tokens=600))
    chat = model(server, responses)
    message = ask(chat, "Plan a bakery", stream=stream, max_completion_tokens=50)
    assert message.text == exactly(50)
    assert usage_of(message).output_tokens == server.bill.output_tokens == 50
    details = message.response_metadata
    if responses:
        assert details["status"] == "incomplete"
        assert details["incomplete_details"] == {"reason": "max_output_tokens"}
    else:
        assert details["finish_reason"] == "length"
    assert server.requests[0].output_cap == 50


@BOTH_APIS
def test_reasoning_can_use_up_the_whole_cap(server: LLMServer, responses: bool) -> None:
    server.script(Answer("Never shown", reasoning_tokens=500))
    message = ask(model(server, responses), "Think", stream=False, max_completion_tokens=40)
    assert message.text == ""
    assert usage_of(message) == server.bill
    assert (server.bill.output_tokens, server.bill.reasoning_tokens) == (40, 40)


def test_a_cut_never_splits_a_character_but_bills_the_whole_cap(
    server: LLMServer, client: openai.OpenAI
) -> None:
    server.script(Answer("𓀀𓀁"))
    asked = client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Hi"}], max_tokens=6
    )
    assert asked.choices[0].message.content == "𓀀"
    assert asked.usage is not None
    assert asked.usage.completion_tokens == 6


@pytest.mark.parametrize("wanted", [0, 1, 2, 17, 79, 80, 81, 600, 5000])
def test_answers_of_n_tokens_have_exactly_n(server: LLMServer, wanted: int) -> None:
    server.script(Answer(tokens=wanted))
    message = ask(model(server, responses=False), "Write", stream=False)
    assert len(vocabularies.o200k_base().encode(message.text)) == wanted
    assert server.bill.output_tokens == wanted


@BOTH_APIS
@STREAMED_OR_NOT
def test_several_tool_calls_arrive(server: LLMServer, responses: bool, stream: bool) -> None:
    calls = [ToolCall("Step", {"name": "Mix", "minutes": 5}), ToolCall("Step", {"name": "日本"})]
    server.script(Answer(calls))
    message = ask(model(server, responses).bind_tools([Step]), "Go", stream=stream)  # type: ignore[arg-type]
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [
        ("Step", {"name": "Mix", "minutes": 5}),
        ("Step", {"name": "日本"}),
    ]
    assert len({call["id"] for call in message.tool_calls}) == 2
    assert usage_of(message) == server.bill


@BOTH_APIS
@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
def test_a_dict_takes_the_shape_that_the_request_asks_for(
    server: LLMServer,
    responses: bool,
    method: Literal["function_calling", "json_schema", "json_mode"],
) -> None:
    server.script(Answer({"steps": [{"name": "Mix", "minutes": 5}]}))
    structured = model(server, responses).with_structured_output(
        Plan, method=method, include_raw=True
    )
    result: Any = structured.invoke("Plan a bakery, in JSON")
    assert result["parsing_error"] is None
    assert result["parsed"] == Plan(steps=[Step(name="Mix", minutes=5)])
    assert usage_of(result["raw"]) == server.bill
    assert bool(result["raw"].tool_calls) == (method == "function_calling")


@BOTH_APIS
def test_arguments_cut_at_the_cap_are_broken_json_and_billed(
    server: LLMServer, responses: bool
) -> None:
    server.script(Answer({"steps": [{"name": f"Step {n}", "minutes": n} for n in range(50)]}))
    structured = model(server, responses, max_tokens=30).with_structured_output(
        Plan, method="function_calling", include_raw=True
    )
    result: Any = structured.invoke("Plan a bakery")
    assert result["parsed"] is None
    assert result["raw"].invalid_tool_calls
    assert usage_of(result["raw"]).output_tokens == server.bill.output_tokens == 30


def test_malformed_arguments_are_sent_as_they_are(server: LLMServer) -> None:
    server.script(Answer(ToolCall("Step", '{"minutes": NaN, ')))
    message = ask(model(server, responses=False), "Go", stream=False)
    assert message.invalid_tool_calls[0]["args"] == '{"minutes": NaN, '


@BOTH_APIS
def test_unscripted_answers_are_sensible_and_always_the_same(
    server: LLMServer, responses: bool
) -> None:
    chat = model(server, responses)
    first, second = (ask(chat, "Opening a bakery in Lisbon", stream=s) for s in (False, True))
    assert first.text == second.text
    assert "bakery" in first.text
    short = ask(chat, "Opening a bakery in Lisbon", stream=False, max_completion_tokens=40)
    assert short.text.endswith(".")
    structured = chat.with_structured_output(Plan, method="function_calling")
    plan: Any = structured.invoke("Opening a bakery")
    assert len(plan.steps) == 2
    assert "bakery" in plan.steps[1].name


def test_a_sample_follows_bounds_references_and_choices() -> None:
    schema = {
        "$defs": {"kind": {"enum": ["llm", "local"]}, "node": {"$ref": "#/$defs/tree"}},
        "properties": {
            "kind": {"$ref": "#/$defs/kind"},
            "size": {"type": "integer", "exclusiveMinimum": 3, "maximum": 5},
            "share": {"type": "number", "maximum": 1},
            "maybe": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 4}, "minItems": 3},
            "fixed": {"const": 7},
            "both": {"allOf": [{"type": "string"}, {"minLength": 40}]},
        },
    }
    found = sample(schema, "bakery")
    assert found["kind"] == "llm"
    assert 3 < found["size"] <= 5
    assert 0 <= found["share"] <= 1
    assert found["maybe"] is True
    assert [len(tag) for tag in found["tags"]] == [4, 4, 4]
    assert found["fixed"] == 7
    assert len(found["both"]) >= 40


# The script


def test_entries_are_played_in_order_then_the_default(server: LLMServer) -> None:
    server.default = Answer("default")
    server.script(Answer("one"), Answer("two", times=2))
    chat = model(server, responses=False)
    said = [ask(chat, "Go", stream=False).text for _ in range(4)]
    assert said == ["one", "two", "two", "default"]
    assert server.pending == ()


def test_an_entry_with_a_condition_waits_for_its_request(server: LLMServer) -> None:
    server.script(Answer("plain"))
    server.script(Answer("risky", when="RISK", times=None))
    server.script(Answer("long", when=lambda request: request.input_tokens > 50))
    chat = model(server, responses=False)
    said = [ask(chat, p, stream=False).text for p in ("List risks", "word " * 60, "Risk?", "Go")]
    assert said == ["risky", "long", "risky", "plain"]
    assert len(server.pending) == 1


def test_a_script_is_safe_to_share_between_threads(server: LLMServer) -> None:
    server.script(*(Answer(f"answer {n}") for n in range(40)))
    chat = model(server, responses=False)
    said: list[str] = []

    def work() -> None:
        said.extend(ask(chat, "Go", stream=False).text for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == sorted(f"answer {n}" for n in range(40))
    numbers = [request.number for request in server.requests]
    assert numbers == list(range(numbers[0], numbers[0] + 40))
    assert server.bill == sum((request.bill for request in server.requests), Bill())


def test_a_mistake_in_a_condition_is_raised_where_the_server_stops() -> None:
    def mistaken(request: Request) -> bool:
        raise LookupError(request.prompt)

    server = LLMServer().start()
    server.script(Answer("x", when=mistaken))
    with pytest.raises(openai.APIConnectionError):
        ask(model(server, responses=False), "Go", stream=False)
    with pytest.raises(LookupError, match="Go"):
        server.stop()


@pytest.mark.parametrize(
    "wrong",
    [
        {"content": "a", "tokens": 3},
        {"tokens": -1},
        {"times": 0},
        {"delay_ms": -1},
        {"chunk_tokens": 0},
    ],
)
def test_an_impossible_answer_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=list(wrong)[-1]):
        Answer(**wrong)


def test_content_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        Answer({"when": object()})
    with pytest.raises(TypeError, match="content is text, a dict or tool calls"):
        Answer(["text"])  # type: ignore[list-item]
    with LLMServer() as server, pytest.raises(TypeError, match="Answers and Behaviours"):
        server.script("text")  # type: ignore[arg-type]


def test_a_script_can_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "script.yaml"
    file.write_text(
        "script:\n"
        "- {text: hello, when: greet, times: null}\n"
        "- {data: {a: 1}}\n"
        "- {tool: {name: search, arguments: {q: x}}, reasoning_tokens: 5}\n"
        "- {misbehave: hang, answer: {tokens: 10}}\n"
        "default: {misbehave: server-error}\n"
    )
    assert load(file) == (
        [
            Answer("hello", when="greet", times=None),
            Answer({"a": 1}),
            Answer(ToolCall("search", {"q": "x"}), reasoning_tokens=5),
            Hang(answer=Answer(tokens=10)),
        ],
        ServerError(),
    )
    file.write_text("script: [{misbehave: fly}]")
    with pytest.raises(ValueError, match=r"script\[0\]: no misbehaviour 'fly'"):
        load(file)


# Requests: records and refusals


@BOTH_APIS
def test_requests_are_recorded(server: LLMServer, responses: bool) -> None:
    chat = model(server, responses, max_tokens=99)
    ask(chat, "Plan a bakery", stream=True)
    (request,) = server.requests
    assert request.api == ("responses" if responses else "chat")
    assert request.path == ("/v1/responses" if responses else "/v1/chat/completions")
    assert request.model == request.body["model"] == "gpt-4.1"
    assert (request.prompt, request.messages[0].role) == ("Plan a bakery", "user")
    assert (request.stream, request.output_cap) == (True, 99)
    assert (request.status, request.completed, request.played) == (200, True, "Answer")
    assert request.ended_at_s is not None
    assert request.ended_at_s >= request.received_at_s
    assert request.authorized
    assert "sk-test" not in repr(request)


def test_both_apis_count_the_same_input_alike(server: LLMServer) -> None:
    for responses in (False, True):
        chat = model(server, responses).bind_tools([Plan], tool_choice="Plan")
        chat.invoke([("system", "Be brief"), ("user", HARD_TEXT), ("ai", "Yes"), ("user", "Go")])
    one, other = server.requests
    assert one.input_tokens == other.input_tokens
    assert one.must_call == other.must_call == "Plan"


def test_input_is_the_text_and_a_documented_overhead(server: LLMServer) -> None:
    ask(model(server, responses=False), HARD_TEXT, stream=False)
    assert server.bill.input_tokens == len(vocabularies.o200k_base().encode(HARD_TEXT)) + 4 + 3


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("chat/completions", {"messages": [{"role": "user", "content": "x"}]}, "model"),
        ("chat/completions", {"model": "m"}, "messages"),
        ("chat/completions", {"model": "m", "messages": []}, "messages"),
        ("chat/completions", {"model": "m", "messages": [{"role": "me"}]}, "messages[0].role"),
        ("chat/completions", {"model": "m", "max_output_tokens": 5}, "max_output_tokens"),
        ("responses", {"model": "m"}, "input"),
        ("responses", {"model": "m", "input": "x", "max_tokens": 50}, "max_tokens"),
        ("responses", {"model": "m", "input": "x", "max_output_tokens": 15}, "max_output_tokens"),
        ("responses", {"model": "m", "input": "x", "max_output_tokens": "9"}, "max_output_tokens"),
        ("responses", {"model": "m", "input": "x", "max_output_tokens": True}, "max_output_tokens"),
        ("responses", {"model": "m", "input": "x", "tool_choice": "required"}, "tool_choice"),
        ("responses", {"model": "m", "input": [{"type": "video"}]}, "input[0].type"),
        ("responses", [], None),
    ],
)
def test_an_invalid_request_gets_an_error_object(
    server: LLMServer, path: str, body: object, param: str | None
) -> None:
    answer = post(server, path, body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    (request,) = server.requests
    assert (request.bill, request.played, request.status) == (Bill(), "Refused", 400)


@pytest.mark.parametrize("cap", [{"max_tokens": 0}, {"max_completion_tokens": -5}])
def test_caps_below_one_are_refused(client: openai.OpenAI, cap: dict[str, int]) -> None:
    with pytest.raises(openai.BadRequestError, match="integer below minimum value"):
        client.chat.completions.create(  # type: ignore[call-overload]
            model="m", messages=[{"role": "user", "content": "Hi"}], **cap
        )


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b"1" * 5000])
def test_a_body_that_is_no_json_is_refused(server: LLMServer, body: bytes) -> None:
    answer = httpx.post(f"{server.base_url}/responses", content=body)
    assert answer.status_code == 400
    assert "error" in answer.json()


def test_wrong_paths_methods_keys_and_models_are_refused() -> None:
    with LLMServer(api_key="right", models=["small"]) as server:
        right = {"Authorization": "Bearer right"}
        asked = {"model": "large", "input": "x"}
        assert post(server, "nothing", {}, headers=right).status_code == 404
        assert httpx.get(f"{server.base_url}/responses", headers=right).status_code == 405
        assert post(server, "responses", asked).status_code == 401
        assert post(server, "responses", asked, headers=right).status_code == 404
        small = asked | {"model": "small"}
        assert post(server, "responses", small, headers=right).status_code == 200
        with openai.OpenAI(base_url=server.base_url, api_key="right") as asking:
            assert [each.id for each in asking.models.list()] == ["small"]
            assert asking.models.retrieve("small").id == "small"


def test_every_parameter_that_the_clients_can_send_is_known() -> None:
    chat = get_type_hints(CompletionCreateParamsStreaming)
    assert chat.keys() <= set(chat_question.PARAMETERS.split())
    responses = get_type_hints(ResponseCreateParamsStreaming)
    assert responses.keys() <= set(responses_question.PARAMETERS.split())


def test_chat_streams_say_their_usage_only_when_asked(
    server: LLMServer, client: openai.OpenAI
) -> None:
    def chunks(**options: Any) -> list[Any]:
        return list(
            client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "Hi"}], stream=True, **options
            )
        )

    assert all(chunk.usage is None and chunk.choices for chunk in chunks())
    *rest, last = chunks(stream_options={"include_usage": True})
    assert all(chunk.usage is None for chunk in rest)
    assert last.choices == []
    assert last.usage.completion_tokens == server.requests[-1].bill.output_tokens


def test_the_events_of_a_responses_stream_are_numbered_and_complete(
    server: LLMServer, client: openai.OpenAI
) -> None:
    server.script(Answer("Some text that is streamed", reasoning_tokens=5))
    events = list(client.responses.create(model="m", input="Hi", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds.count("response.output_item.added") == 2
    final: Any = events[-1]
    assert final.type == "response.completed"
    assert final.response.output_text == "Some text that is streamed"
    assert final.response.usage.output_tokens == server.bill.output_tokens


async def _async_both(server: LLMServer) -> tuple[str, str]:
    async with openai.AsyncOpenAI(base_url=server.base_url, api_key="k", max_retries=0) as asking:
        chat, response = await asyncio.gather(
            asking.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "chat"}]
            ),
            asking.responses.create(model="m", input="response"),
        )
    return str(chat.choices[0].message.content), response.output_text


def test_async_clients_are_served_side_by_side(server: LLMServer) -> None:
    both = asyncio.Barrier(2)
    server.script(
        Together(barrier=both, answer=Answer("A"), when="chat"),
        Together(barrier=both, answer=Answer("B"), when="response"),
    )
    assert asyncio.run(_async_both(server)) == ("A", "B")


def test_large_and_chunked_requests_are_read(server: LLMServer) -> None:
    body = json.dumps({"model": "m", "input": "word " * 100_000}).encode()
    parts = (body[at : at + 50_000] for at in range(0, len(body), 50_000))
    answer = httpx.post(f"{server.base_url}/responses", content=parts)
    assert answer.json()["usage"]["input_tokens"] == server.bill.input_tokens > 100_000

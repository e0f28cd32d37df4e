"""Google's API as the server speaks it, asked by Google's own client."""

import asyncio
import inspect
import re
from typing import Any

import pytest
from google import genai
from google.genai import errors, models, types

from tests.harness.llm_server import (
    Answer,
    Bill,
    BlockedPrompt,
    ErrorStatus,
    LLMServer,
    ToolCall,
    gemini_question,
    tokens,
)
from tests.harness.llm_server.gemini_question import (
    ATTACHMENT_TOKENS,
    SCHEMA_TOKENS,
    TOOLS_TOKENS,
)

MODEL = "gemini-2.5-flash"
PLAN = types.FunctionDeclaration(
    name="plan",
    description="Makes a plan.",
    parameters_json_schema={"type": "object", "properties": {"steps": {"type": "string"}}},
)
TOOLS = [types.Tool(function_declarations=[PLAN])]


@pytest.fixture
def server():
    with LLMServer() as running:
        yield running


@pytest.fixture
def client(server):
    with connect(server) as asking:
        yield asking


def connect(server: LLMServer, key: str = "AIza-test") -> genai.Client:
    return genai.Client(api_key=key, http_options={"base_url": server.root_url})


def ask(client: genai.Client, contents: Any = "Plan a bakery", **config: Any) -> Any:
    return client.models.generate_content(model=MODEL, contents=contents, config=config)


def stream(client: genai.Client, **config: Any) -> list[Any]:
    asked = {"model": MODEL, "contents": "Plan a bakery", "config": config}
    return list(client.models.generate_content_stream(**asked))  # type: ignore[arg-type]


def test_an_answer_and_its_count_are_what_the_bill_says(server, client):
    server.script(
        Answer("Two words", reasoning_tokens=7, cached_input_tokens=2, audio_input_tokens=3)
    )
    answer = ask(client, max_output_tokens=500)
    assert (answer.text, answer.candidates[0].finish_reason.name) == ("Two words", "STOP")
    usage, bill = answer.usage_metadata, server.bill
    assert usage.prompt_token_count == bill.input_tokens
    assert (usage.candidates_token_count, usage.thoughts_token_count) == (2, 7)
    assert usage.total_token_count == bill.total_tokens
    assert usage.cached_content_token_count == 2
    details = {each.modality.name: each.token_count for each in usage.prompt_tokens_details}
    assert details == {"TEXT": bill.input_tokens - 3, "AUDIO": 3}
    assert bill == Bill(bill.input_tokens, 9, 7, 2, audio_input_tokens=3)
    assert answer.model_version == MODEL
    (request,) = server.requests
    assert (request.api, request.authorized, request.output_cap) == ("gemini", True, 500)


def test_a_stream_brings_the_same_as_an_answer(server, client):
    server.default = Answer("Some text that is streamed", reasoning_tokens=5)
    thinking = {"include_thoughts": True}
    whole = ask(client, thinking_config=thinking)
    streamed = stream(client, thinking_config=thinking)
    assert [part.thought for part in whole.candidates[0].content.parts] == [True, None]
    assert streamed[0].candidates[0].content.parts[0].thought
    assert "".join(piece.text or "" for piece in streamed[1:]) == whole.text
    counted = [piece.usage_metadata.total_token_count for piece in streamed]
    assert counted == sorted(counted)
    assert counted[0] < counted[-1] == whole.usage_metadata.total_token_count
    assert [piece.candidates[0].finish_reason for piece in streamed[:-1]] == [None] * 2
    assert streamed[-1].candidates[0].finish_reason.name == "STOP"
    assert {request.stream for request in server.requests} == {False, True}


def test_the_cap_cuts_thought_and_text_together(server, client):
    server.default = Answer(tokens=100, reasoning_tokens=30)
    for answer in (ask(client, max_output_tokens=40), stream(client, max_output_tokens=40)[-1]):
        assert answer.candidates[0].finish_reason.name == "MAX_TOKENS"
        counted = answer.usage_metadata
        assert (counted.thoughts_token_count, counted.candidates_token_count) == (30, 10)


def test_tools_are_called_and_cost_what_nobody_sends(server, client):
    server.default = Answer(ToolCall("plan", {"steps": "bake"}), reasoning_tokens=9)
    ask(client)
    forced = {"function_calling_config": {"mode": "ANY"}}
    called = ask(client, tools=TOOLS, tool_config=forced)
    (part,) = called.candidates[0].content.parts
    assert (part.function_call.name, part.function_call.args) == ("plan", {"steps": "bake"})
    (piece,) = stream(client, tools=TOOLS)[-1].candidates[0].content.parts
    assert piece.function_call == part.function_call
    bare, must, free = server.requests
    assert bare.input_tokens + TOOLS_TOKENS < must.input_tokens < bare.input_tokens + 300
    assert (must.must_call, free.must_call) == ("plan", None)
    assert part.thought_signature == piece.thought_signature


def test_thoughts_pictures_and_schemas_are_read_beyond_their_text(server, client):
    picture = types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")
    thought = {"text": "Yes", "thought_signature": gemini_question.signature(300)}
    schema = {"response_mime_type": "application/json", "response_json_schema": {"type": "object"}}
    talk = [
        types.UserContent("Hi"),
        types.Content(role="model", parts=[types.Part.model_validate(thought)]),
        types.UserContent([picture]),
    ]
    ask(client, talk, **schema)
    (request,) = server.requests
    unseen = 300 + ATTACHMENT_TOKENS + SCHEMA_TOKENS
    assert unseen < request.input_tokens < unseen + 60
    assert request.json_wanted


def test_gemini_reads_never_more_tokens_than_bytes(server, client):
    ask(client, "a plain English sentence " * 100)
    ask(client, "\N{BRAILLE PATTERN DOTS-1234}" * 100)
    assert [request.input_tokens - 7 for request in server.requests] == [462, 300]
    assert tokens.count("a plain English sentence " * 100) == 401


def test_a_question_that_a_filter_blocks_costs_its_input(server, client):
    server.default = BlockedPrompt(answer=Answer(tokens=50))
    for answer in (ask(client), *stream(client)):
        assert answer.prompt_feedback.block_reason.name == "PROHIBITED_CONTENT"
        assert answer.candidates is None
        assert answer.usage_metadata.total_token_count == answer.usage_metadata.prompt_token_count
    assert server.bill.output_tokens == 0 < server.bill.input_tokens


ERRORS = {
    400: ("INVALID_ARGUMENT", errors.ClientError),
    401: ("UNAUTHENTICATED", errors.ClientError),
    403: ("PERMISSION_DENIED", errors.ClientError),
    404: ("NOT_FOUND", errors.ClientError),
    429: ("RESOURCE_EXHAUSTED", errors.ClientError),
    500: ("INTERNAL", errors.ServerError),
    503: ("UNAVAILABLE", errors.ServerError),
}


@pytest.mark.parametrize("status", ERRORS)
def test_errors_have_googles_shape(server, client, status):
    server.default = ErrorStatus(status=status, message="No.")
    name, kind = ERRORS[status]
    for way in (ask, stream):
        with pytest.raises(kind) as raised:
            way(client)
        error: Any = raised.value
        assert (error.code, error.status, error.message) == (status, name, "No.")
    assert server.bill == Bill()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"contents": []}, "contents is not specified"),
        ({"contents": [{"role": "me", "parts": [{"text": "x"}]}]}, "use a valid role"),
        ({"contents": [{"role": "user", "parts": []}]}, "must not be empty"),
        ({"generationConfig": {"maxOutputTokens": 0}}, "value of 0 but"),
        ({"generationConfig": {"maxOutputTokens": "9"}}, "TYPE_INT32"),
        ({"generationConfig": {"max_tokens": 9}}, 'Unknown name "max_tokens"'),
        ({"flavour": 1}, 'Unknown name "flavour"'),
        ({"tools": [{"googleSearch": {}}]}, "functionDeclarations"),
    ],
)
def test_what_is_not_valid_is_refused(server, client, body, told):
    with pytest.raises(errors.ClientError, match=re.escape(told)):
        ask(client, http_options={"extra_body": body})
    assert server.requests[0].played == "Refused"


def test_only_the_right_key_is_let_in():
    with LLMServer(api_key="right", models=[MODEL]) as server:
        with connect(server, "right") as known:
            assert ask(known).text
            with pytest.raises(errors.ClientError, match="does not exist"):
                known.models.generate_content(model="gemini-none", contents="Hi")
        with connect(server, "wrong") as unknown, pytest.raises(errors.ClientError, match="UNAUTH"):
            ask(unknown)


def test_an_async_client_is_served_as_well(server):
    async def asked() -> Any:
        async with connect(server).aio as asking:
            return await asking.models.generate_content(model=MODEL, contents="Well?")

    server.script(Answer("Yes."))
    assert asyncio.run(asked()).text == "Yes."


@pytest.mark.parametrize(
    ("where", "known"),
    [("parent_object", gemini_question.PARAMETERS), ("to_object", gemini_question.CONFIG)],
)
def test_every_parameter_that_the_client_can_send_is_known(where, known):
    written = inspect.getsource(models._GenerateContentConfig_to_mldev)
    sent = re.findall(rf"setv\(\s*{where},\s*\['(\w+)'\]", written)
    assert set(sent) <= set(known.split())
    assert len(sent) > 5

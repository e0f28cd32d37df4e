"""Anthropic's API as the server speaks it, asked by Anthropic's own client."""

import asyncio
from typing import Any, get_type_hints

import anthropic
import httpx
import pytest
from anthropic.types.message_create_params import MessageCreateParamsStreaming

from tests.harness.llm_server import (
    Answer,
    Bill,
    ErrorStatus,
    LLMServer,
    Overloaded,
    ToolCall,
    TooManyRequests,
    messages_question,
    tokens,
)
from tests.harness.llm_server.messages_question import (
    ATTACHMENT_TOKENS,
    FORCED_TOOLS_TOKENS,
    SCHEMA_TOKENS,
    TOOLS_TOKENS,
)

ASKED = [{"role": "user", "content": "Plan a bakery"}]
TOOL = {
    "name": "plan",
    "description": "Makes a plan.",
    "input_schema": {"type": "object", "properties": {"steps": {"type": "string"}}},
}


@pytest.fixture
def server():
    with LLMServer() as running:
        yield running


@pytest.fixture
def client(server):
    key = "sk-ant-test"
    with anthropic.Anthropic(base_url=server.root_url, api_key=key, max_retries=0) as asking:
        yield asking


def ask(client: anthropic.Anthropic, **options: Any) -> Any:
    given = {"model": "claude-haiku-4-5", "max_tokens": 500, "messages": ASKED, **options}
    return client.messages.create(**given)


def test_an_answer_and_its_count_are_what_the_bill_says(server, client):
    written = {"written_input_tokens": 1, "written_1h_input_tokens": 3}
    server.script(Answer("Two words", reasoning_tokens=7, cached_input_tokens=2, **written))
    answer = ask(client)
    assert (answer.content[0].text, answer.stop_reason) == ("Two words", "end_turn")
    usage, bill = answer.usage, server.bill
    kept = usage.cache_creation
    assert (kept.ephemeral_5m_input_tokens, kept.ephemeral_1h_input_tokens) == (1, 3)
    assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (2, 4)
    assert usage.input_tokens + 6 == bill.input_tokens
    assert usage.output_tokens == bill.output_tokens == 9
    assert usage.output_tokens_details.thinking_tokens == 7
    assert bill == Bill(bill.input_tokens, 9, 7, 2, 1, written_1h_input_tokens=3)
    (request,) = server.requests
    assert (request.api, request.authorized, request.output_cap) == ("messages", True, 500)


def test_a_stream_brings_the_same_as_an_answer(server, client):
    server.default = Answer("Some text that is streamed", reasoning_tokens=5)
    thinking = {"type": "enabled", "budget_tokens": 1_024}
    whole = ask(client, max_tokens=2_000, thinking=thinking)
    given = {"model": "claude-haiku-4-5", "max_tokens": 2_000, "messages": ASKED}
    with client.messages.stream(**given, thinking=thinking) as stream:
        streamed = stream.get_final_message()
    assert [block.type for block in streamed.content] == ["thinking", "text"]
    assert streamed.content[1].text == whole.content[1].text == "Some text that is streamed"
    assert streamed.content[0].signature == whole.content[0].signature
    assert streamed.usage.output_tokens == whole.usage.output_tokens
    assert streamed.stop_reason == "end_turn"


def test_the_cap_cuts_and_is_said_to(server, client):
    server.script(Answer(tokens=100))
    answer = ask(client, max_tokens=40)
    assert (answer.stop_reason, answer.usage.output_tokens) == ("max_tokens", 40)


def test_tools_are_called_and_cost_what_nobody_sends(server, client):
    server.default = Answer(ToolCall("plan", {"steps": "bake"}))
    ask(client)
    called = ask(client, tools=[TOOL])
    forced = ask(client, tools=[TOOL], tool_choice={"type": "any"})
    assert (called.content[0].name, called.content[0].input) == ("plan", {"steps": "bake"})
    assert called.stop_reason == forced.stop_reason == "tool_use"
    bare, free, must = (request.input_tokens for request in server.requests)
    assert free - must == TOOLS_TOKENS - FORCED_TOOLS_TOKENS
    assert bare + TOOLS_TOKENS < free < bare + TOOLS_TOKENS + 100
    assert server.requests[2].must_call == "plan"


def test_a_stream_of_a_tools_arguments_is_put_together(server, client):
    server.script(Answer(ToolCall("plan", {"steps": "mix, knead, bake, cool, sell"})))
    given = {"model": "claude-haiku-4-5", "max_tokens": 2_000, "messages": ASKED}
    with client.messages.stream(**given, tools=[TOOL]) as stream:
        (call,) = stream.get_final_message().content
    assert call.input == {"steps": "mix, knead, bake, cool, sell"}


def test_thoughts_pictures_and_schemas_are_read_beyond_their_text(server, client):
    picture = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    thought = {"type": "thinking", "thinking": "", "signature": messages_question.signature(300)}
    talk = [
        ASKED[0],
        {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes"}]},
        {"role": "user", "content": [{"type": "image", "source": picture}]},
    ]
    schema = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    ask(client, messages=talk, output_config=schema)
    (request,) = server.requests
    unseen = 300 + ATTACHMENT_TOKENS + SCHEMA_TOKENS
    assert unseen < request.input_tokens < unseen + 60


def test_claude_reads_more_tokens_than_o200k_and_never_more_than_bytes(server, client):
    ask(client, messages=[{"role": "user", "content": "a plain English sentence " * 100}])
    ask(client, messages=[{"role": "user", "content": "\N{BRAILLE PATTERN DOTS-1234}" * 100}])
    assert [request.input_tokens - 7 for request in server.requests] == [542, 300]
    assert tokens.count("a plain English sentence " * 100) == 401


ERRORS = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    404: anthropic.NotFoundError,
    413: anthropic.RequestTooLargeError,
}


@pytest.mark.parametrize("status", ERRORS)
def test_errors_have_anthropics_shape(server, client, status):
    server.script(ErrorStatus(status=status, message="No."))
    with pytest.raises(ERRORS[status]) as raised:
        ask(client)
    body: Any = raised.value.body
    assert body["type"] == "error"
    assert body["error"]["message"] == "No."
    assert body["error"]["type"].endswith(("_error", "_too_large"))
    assert server.bill == Bill()


def test_no_room_and_too_many_requests_are_told(server, client):
    server.script(Overloaded(), TooManyRequests(retry_after_s=3))
    with pytest.raises(anthropic.APIStatusError, match="overloaded_error") as overloaded:
        ask(client)
    with pytest.raises(anthropic.RateLimitError, match="rate_limit_error") as limited:
        ask(client)
    assert overloaded.value.status_code == 529
    assert limited.value.response.headers["retry-after"] == "3"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "me", "content": "x"}]}, r"messages\.0\.role"),
        ({"messages": [{"role": "user", "content": ""}]}, "non-empty content"),
        ({"max_tokens": 0}, "greater than or equal to 1"),
        ({"extra_body": {"max_tokens": "9"}}, "max_tokens: Field required"),
        ({"extra_body": {"flavour": 1}}, "flavour: Extra inputs are not permitted"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools of type custom"),
        ({"tools": [{"name": "w"}]}, "input_schema: Field required"),
        ({"tool_choice": {"type": "any"}}, "not found in provided tools"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1_000}}, "equal to 1024"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1_024}}, "must be greater than"),
        (
            {"thinking": {"type": "adaptive"}, "tools": [TOOL], "tool_choice": {"type": "any"}},
            "tool_choice forces tool use",
        ),
    ],
)
def test_what_is_not_valid_is_refused(server, client, options, told):
    with pytest.raises(anthropic.BadRequestError, match=told):
        ask(client, **options)
    assert server.requests[0].played == "Refused"


def test_only_the_right_key_is_let_in():
    with LLMServer(api_key="right") as server:
        for key, status in (("right", 200), ("wrong", 401)):
            answer = httpx.post(
                f"{server.base_url}/messages",
                json={"model": "m", "max_tokens": 9, "messages": ASKED},
                headers={"x-api-key": key},
            )
            assert answer.status_code == status
        assert answer.json()["error"]["type"] == "authentication_error"


def test_an_async_client_is_served_as_well(server):
    async def asked() -> Any:
        key = "sk-ant-test"
        async with anthropic.AsyncAnthropic(base_url=server.root_url, api_key=key) as asking:
            return await ask(asking)  # type: ignore[arg-type]

    server.script(Answer("Yes."))
    assert asyncio.run(asked()).content[0].text == "Yes."


def test_every_parameter_that_the_client_can_send_is_known():
    known = set(messages_question.PARAMETERS.split())
    assert get_type_hints(MessageCreateParamsStreaming).keys() <= known

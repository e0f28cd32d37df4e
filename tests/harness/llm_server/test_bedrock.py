"""Bedrock's Converse as the server speaks it, asked by Amazon's own client."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.harness.llm_server import Answer, Bill, ErrorStatus, LLMServer, ToolCall
from tests.harness.llm_server.bedrock import (
    ATTACHMENT_TOKENS,
    ERROR_TYPES,
    PARAMETERS,
    TOOLS_TOKENS,
)
from tests.models.vendors.bedrock import HAIKU, client

ASKED = [{"role": "user", "content": [{"text": "Plan a bakery"}]}]
SCHEMA = {"json": {"type": "object", "properties": {"steps": {"type": "string"}}}}
TOOLS = {"tools": [{"toolSpec": {"name": "plan", "inputSchema": SCHEMA}}]}


@pytest.fixture
def server():
    with LLMServer() as running:
        yield running


@pytest.fixture
def amazon(server):
    return client(server).client


def ask(amazon: Any, messages: Any = ASKED, **options: Any) -> Any:
    return amazon.converse(modelId=HAIKU, messages=messages, **options)


def stream(amazon: Any, **options: Any) -> list[Any]:
    return list(amazon.converse_stream(modelId=HAIKU, messages=ASKED, **options)["stream"])


def test_an_answer_and_its_count_are_what_the_bill_says(server, amazon):
    server.script(Answer("Two words", cached_input_tokens=2, written_input_tokens=1))
    answer = ask(amazon, inferenceConfig={"maxTokens": 500})
    assert answer["output"]["message"]["content"] == [{"text": "Two words"}]
    assert answer["stopReason"] == "end_turn"
    bill = server.bill
    assert answer["usage"] == {
        "inputTokens": bill.input_tokens - 3,
        "outputTokens": 2,
        "totalTokens": bill.total_tokens,
        "cacheReadInputTokens": 2,
        "cacheWriteInputTokens": 1,
    }
    (request,) = server.requests
    assert (request.api, request.model, request.output_cap) == ("bedrock", HAIKU, 500)


def test_a_stream_brings_the_same_as_an_answer(server, amazon):
    server.default = Answer("Some text that is streamed")
    whole, events = ask(amazon), stream(amazon)
    deltas = [
        event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event
    ]
    assert "".join(delta["text"] for delta in deltas) == "Some text that is streamed"
    assert len(deltas) == 2
    assert events[-2]["messageStop"]["stopReason"] == "end_turn"
    assert events[-1]["metadata"]["usage"] == whole["usage"]


def test_the_cap_cuts_and_is_said_to(server, amazon):
    server.script(Answer(tokens=100))
    answer = ask(amazon, inferenceConfig={"maxTokens": 40})
    assert (answer["stopReason"], answer["usage"]["outputTokens"]) == ("max_tokens", 40)


def test_tools_are_called_and_cost_what_nobody_sends(server, amazon):
    server.default = Answer(ToolCall("plan", {"steps": "bake"}))
    ask(amazon)
    (block,) = ask(amazon, toolConfig={**TOOLS, "toolChoice": {"any": {}}})["output"]["message"][
        "content"
    ]
    assert (block["toolUse"]["name"], block["toolUse"]["input"]) == ("plan", {"steps": "bake"})
    events = stream(amazon, toolConfig=TOOLS)
    assert events[1]["contentBlockStart"]["start"]["toolUse"]["name"] == "plan"
    bare, must, free = server.requests
    assert bare.input_tokens + TOOLS_TOKENS < must.input_tokens < bare.input_tokens + 650
    assert (must.must_call, free.must_call) == ("plan", None)


def test_a_picture_is_read_beyond_its_text(server, amazon):
    picture = {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}}
    ask(amazon, [{"role": "user", "content": [picture]}])
    assert 0 < server.requests[0].input_tokens - ATTACHMENT_TOKENS < 20


@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_errors_have_amazons_shape(server, amazon, status):
    server.default = ErrorStatus(status=status, message="No.")
    for way in (ask, stream):
        with pytest.raises(ClientError) as raised:
            way(amazon)
        said = raised.value.response
        assert said["Error"]["Code"] == ERROR_TYPES[status]
        assert said["ResponseMetadata"]["HTTPStatusCode"] == status
    assert server.bill == Bill()


def test_what_is_not_valid_is_refused(server, amazon):
    with pytest.raises(ClientError, match="must start with a user message"):
        ask(amazon, [])
    assert server.requests[0].played == "Refused"


def test_every_parameter_that_the_client_can_send_is_known(amazon):
    asked = amazon.meta.service_model.operation_model("Converse").input_shape.members
    assert set(asked) - {"modelId"} <= set(PARAMETERS.split())

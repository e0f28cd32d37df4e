"""How many input tokens a body can be billed: all that is read counts, and nothing else."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

from thrifty.models.costs.input_bound import (
    ENVELOPE_TOKENS,
    MESSAGE_OVERHEAD_TOKENS,
    TEMPLATE_TOKENS,
    TOOLS_TOKENS,
    as_json,
    attachments,
    body_tokens,
    input_tokens,
    is_exact,
    json_body_tokens,
    json_input_tokens,
    messages_of,
    recalled_tokens,
    schemas_of,
    tokens_bound,
    utf8_bytes,
    why_unbounded,
)

OWN = "own"
"""A model whose encoding nobody knows: its tokens are bounded by bytes, which are easy to count."""
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}


def text_of(body) -> int:
    """What is counted beside the overhead of messages."""
    pieces = max(1, len(messages_of(body)) + len(schemas_of(body)))
    return input_tokens(body, OWN) - MESSAGE_OVERHEAD_TOKENS * pieces


def called(*calls) -> dict:
    return {"messages": [{"role": "assistant", "tool_calls": list(calls)}]}


def said(*content) -> dict:
    return {"messages": [{"role": "user", "content": each} for each in content]}


@pytest.mark.parametrize(
    ("body", "counted"),
    [
        ({}, 0),
        ({"messages": None}, 0),
        ({"input": "four"}, 4),
        ({"input": "four", "instructions": "seven.."}, 11),
        ({"instructions": "seven.."}, 7),
        (said("vier", "fünf"), 9),
        (said(None), 0),
        (said([{"type": "text", "text": "four"}, "two"]), 7),
        (said(({"type": "text", "text": "four"},)), 4),
        (said([{"type": "input_text", "text": "four"}, IMAGE, SOUND]), 4),
        (said([{"type": "refusal", "refusal": "four"}]), 4),
        (said([{"text": "four"}]), 4),
        (said([IMAGE["image_url"]]), len("data:image/png;base64,AAAA")),
        ({"messages": [{"role": "user", "name": "Ann", "content": "four"}]}, 7),
        ({"messages": [{"role": "user", "content": "four", "refusal": None}]}, 4),
    ],
)
def test_the_words_of_messages_count(body, counted):
    assert text_of(body) == counted


@pytest.mark.parametrize("field", ["type", "id", "status", "role", "index", "detail"])
def test_what_only_names_a_message_is_in_its_overhead(field):
    assert text_of({"input": [{field: "user", "content": "four"}]}) == 4
    part = {field: "user", "type": "input_text", "text": "four"}
    assert text_of({"input": [{"content": [part]}]}) == 4


def test_what_annotates_an_answer_is_not_read_again():
    part = {"type": "output_text", "text": "four", "annotations": ["long"], "logprobs": ["long"]}
    assert text_of({"input": [{"type": "message", "role": "assistant", "content": [part]}]}) == 4


def test_calls_of_tools_and_what_they_returned_count():
    function = {"name": "look_up", "arguments": '{"of":1}'}
    call = {"id": "call_1", "type": "function", "function": function}
    assert text_of(called(call)) == 7 + 8 + MESSAGE_OVERHEAD_TOKENS
    assert text_of(called(call, call)) == 2 * (7 + 8 + MESSAGE_OVERHEAD_TOKENS)
    twice = {"messages": called(call)["messages"] * 2}
    assert text_of(twice) == text_of(called(call, call))
    custom = {"type": "custom_tool_call", "arguments": "four", "name": "two"}
    assert text_of(called(custom)) == 7 + MESSAGE_OVERHEAD_TOKENS
    item = {"type": "function_call", "call_id": "c1", "name": "look_up", "arguments": "{}"}
    assert text_of({"input": [item]}) == 2 + 7 + 2
    output = {"type": "function_call_output", "call_id": "c1", "output": "four"}
    assert text_of({"input": [output]}) == 2 + 4
    parts = [{"type": "input_text", "text": "four"}, {"type": "input_file", "file_id": "f" * 99}]
    assert text_of({"input": [{**output, "output": parts}]}) == 2 + 4


def test_what_is_no_text_counts_as_it_is_written_in_json():
    assert text_of({"input": [{"content": "four", "extra": 12345}]}) == 4 + 5
    assert text_of({"input": [{"content": "four", "extra": True}]}) == 4 + len("true")
    odd = {1, 2}
    assert text_of({"input": [{"content": "four", "extra": odd}]}) == 4 + len(f'"{odd!r}"')


def test_each_message_and_each_schema_has_its_overhead_and_nothing_at_all_has_one():
    tool = {"type": "function", "function": {"name": "f"}}
    assert input_tokens({}, OWN) == MESSAGE_OVERHEAD_TOKENS
    assert input_tokens(said("", ""), OWN) == 2 * MESSAGE_OVERHEAD_TOKENS
    with_tools = {**said("", ""), "tools": [tool]}
    assert input_tokens(with_tools, OWN) == 3 * MESSAGE_OVERHEAD_TOKENS + len(as_json(tool))


def test_an_unknown_server_has_room_for_what_its_chat_template_adds():
    plain, tool = said("Hi"), {"type": "function", "function": {"name": "f"}}
    assert input_tokens(plain, "") == body_tokens(plain, "") + TEMPLATE_TOKENS
    for with_tools in ({**plain, "tools": [tool]}, {**plain, "functions": [tool]}):
        added = input_tokens(with_tools, "") - body_tokens(with_tools, "")
        assert added == TEMPLATE_TOKENS + TOOLS_TOKENS
    assert input_tokens(plain, OWN) == body_tokens(plain, OWN) == body_tokens(plain, "")


def test_a_known_encoding_counts_for_itself():
    assert input_tokens(said("word " * 50), "gpt-4o") < input_tokens(said("word " * 50), OWN)


def test_attachments_count_what_they_are_said_to_be_at_most():
    body = said([IMAGE, {"type": "text", "text": "four"}, SOUND], [IMAGE], "text")
    body["messages"].append({"role": "tool", "output": [{"type": "input_file"}, "text"]})
    assert attachments(body) == 4
    assert input_tokens(body, OWN, 1000) - input_tokens(body, OWN) == 4 * 1000
    assert body_tokens(body, OWN) == input_tokens(body, OWN)
    assert attachments(said("text", [{"type": "summary_text", "text": "four"}])) == 0


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
SEALED = {**THOUGHT, "encrypted_content": "cipher"}
TEXT = {"type": "text", "text": "four"}


def thought(*parts: Any, counted: bool = True, **apart: Any) -> AIMessage:
    usage = {"input_tokens": 9, "output_tokens": 300, "total_tokens": 309} if counted else None
    return AIMessage(list(parts), usage_metadata=usage, additional_kwargs=apart)


@pytest.mark.parametrize(
    ("messages", "tokens"),
    [
        ([], 0),
        ([HumanMessage("four"), thought(TEXT), thought("four")], 0),
        ([thought(THOUGHT, TEXT)], 300),
        ([thought(TEXT, reasoning=THOUGHT)], 300),
        ([thought(THOUGHT, reasoning=THOUGHT)], 300),
        ([thought(TEXT, reasoning={"id": "rs_1", "summary": []})], 300),
        ([thought(SEALED, THOUGHT), HumanMessage("four"), thought("four", THOUGHT)], 600),
        ([thought(SEALED, TEXT), thought(TEXT, reasoning=SEALED)], 0),
        ([thought(TEXT, reasoning="in words")], 0),
        ([thought(TEXT, counted=False), thought(SEALED, counted=False)], 0),
        ([thought(THOUGHT, counted=False), thought(THOUGHT)], None),
        ([AIMessage("reasoning")], 0),
    ],
)
def test_reasoning_by_its_id_is_at_most_what_its_message_took_to_write(messages, tokens):
    assert recalled_tokens(messages) == tokens


class Answer(BaseModel):
    """What is wanted."""

    words: int


SCHEMA = {"type": "json_schema", "name": "Answer", "schema": {"type": "object"}}
COMPACT = '{"name":"Answer","schema":{"type":"object"},"type":"json_schema"}'


@pytest.mark.parametrize(
    ("body", "schemas"),
    [
        ({}, []),
        ({"tools": None, "functions": None, "text": None}, []),
        ({"tools": [SCHEMA], "functions": [{"name": "ä"}]}, [COMPACT, '{"name":"ä"}']),
        ({"response_format": SCHEMA}, [COMPACT]),
        ({"text": {"format": SCHEMA, "verbosity": "low"}}, [COMPACT]),
        ({"text": {"verbosity": "low"}}, []),
        ({"tools": [SCHEMA], "text": {"format": SCHEMA}}, [COMPACT, COMPACT]),
    ],
)
def test_schemas_of_tools_and_answers_are_sent_and_read(body, schemas):
    assert schemas_of(body) == schemas


@pytest.mark.parametrize("field", ["response_format", "text_format"])
def test_a_class_that_describes_an_answer_stands_as_its_schema(field):
    (schema,) = schemas_of({field: Answer})
    assert schema == as_json(Answer.model_json_schema())
    assert text_of({field: Answer}) == len(schema)


def test_values_that_json_does_not_know_are_written_out():
    assert as_json({"b": Answer(words=1), "a": [1, 2]}) == '{"a":[1,2],"b":{"words":1}}'
    assert as_json(int) == "\"<class 'int'>\""
    assert as_json(1j) == '"1j"'


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, ""),
        (said("text"), ""),
        (
            {"previous_response_id": "r"},
            "previous_response_id: the provider adds what it has stored",
        ),
        ({"conversation": "c"}, "conversation: the provider adds what it has stored"),
        ({"prompt": {"id": "p"}}, "prompt: the provider adds what it has stored"),
        ({"prompt": None, "background": False, "modalities": None, "tools": None}, ""),
        ({"web_search_options": {"a": 1}}, "web_search_options: it is billed beyond the request"),
        ({"prediction": {"a": 1}}, "prediction: it is billed beyond the request"),
        ({"background": True}, "background: it is billed beyond the request"),
        ({"modalities": ["text"]}, ""),
        ({"modalities": ["text", "audio"]}, "modalities: sound has a price of its own"),
        ({"tools": [{"type": "function"}, {"type": "custom"}]}, ""),
        (
            {"tools": [{"type": "function"}, {"type": "web_search"}]},
            "tools: 'web_search' runs, and is billed, at the provider",
        ),
        ({"tools": [{}]}, "tools: None runs, and is billed, at the provider"),
        (
            {"input": [{"type": "item_reference", "id": "i"}]},
            "input: an item of type 'item_reference'",
        ),
        (
            {"input": [{"type": "reasoning"}, {"type": "function_call_output"}, {"content": "x"}]},
            "",
        ),
        ({"input": [{"type": "item_reference", "role": "user"}]}, ""),
    ],
)
def test_what_is_billed_without_being_sent_is_told(body, why):
    assert why_unbounded(body) == why


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"web_search_options": {"a": 1}}, ""),
        ({"tools": [{"type": "web_search_20250305"}]}, ""),
        ({"input": [{"type": "web_search_call"}]}, ""),
        ({"input": [{"type": "mcp_call"}]}, "input: an item of type 'mcp_call'"),
        ({"tools": [{"type": "mcp"}]}, "tools: 'mcp' runs, and is billed, at the provider"),
        ({"background": True}, "background: it is billed beyond the request"),
    ],
)
def test_a_tool_whose_fee_was_declared_has_a_bound(body, why):
    assert why_unbounded(body, ["web_search"]) == why


def test_messages_are_told_from_inputs_and_bodies_are_left_as_they_are():
    body = {"messages": [{"content": "a"}], "input": "b", "instructions": "c"}
    assert messages_of(body) == [{"content": "a"}, {"content": "c"}]
    assert body["messages"] == [{"content": "a"}]
    assert messages_of({"input": ""}) == []
    assert messages_of({"input": "a"}) == [{"content": "a"}]


@pytest.mark.parametrize(
    ("model", "tokens"),
    [("gpt-4o", 8), ("o200k_base", 8), ("gpt-4", 9), ("text-embedding-3-small", 9), (OWN, 27)],
)
def test_a_text_is_as_many_tokens_as_its_models_encoding_makes_of_it(model, tokens):
    """As OpenAI's cookbook counts this text."""
    assert tokens_bound("お誕生日おめでとう", model) == tokens
    assert is_exact(model) == (model != OWN)
    # What has no UTF-8 form is sent as a question mark.
    assert model == OWN or tokens_bound("ab\ud800", model) == tokens_bound("ab?", model)


def test_what_is_sent_in_another_protocol_is_bounded_by_all_of_its_json():
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    asked = {"role": "user", "content": [{"type": "text", "text": "vier Ä"}, IMAGE, "plain", SOUND]}
    kept = {"role": "user", "content": [{"type": "text", "text": "vier Ä"}, "plain"]}
    said = [
        {"role": "assistant", "content": "", "tool_calls": [call, call]},
        {"role": "assistant", "tool_calls": [call]},
    ]
    tool = {"type": "function", "function": {"name": "f"}}
    body = {"messages": [asked, *said], "tools": [tool]}
    written = sum(utf8_bytes(as_json(each)) for each in (kept, *said, tool))
    # Three messages, three calls, and a schema, which is in four places.
    overhead = ENVELOPE_TOKENS + (3 + 3 + 4) * MESSAGE_OVERHEAD_TOKENS
    assert json_body_tokens(body) == written + overhead
    assert json_body_tokens(body, 700) == written + overhead + 2 * 700
    assert json_input_tokens(body) == written + overhead + TEMPLATE_TOKENS + TOOLS_TOKENS
    assert json_input_tokens(body, 700) == json_input_tokens(body) + 2 * 700
    two = [{"type": "function", "function": {"name": "f"}}] * 2
    assert json_body_tokens({**body, "tools": two}) == json_body_tokens(body) + 64 + len(
        as_json(tool)
    )


@settings(deadline=None)  # the first example loads the vocabularies
@given(st.text(max_size=300))
def test_bytes_bound_every_known_encoding(text):
    for model in ("gpt-5", "gpt-4"):
        assert tokens_bound(text, model) <= utf8_bytes(text)

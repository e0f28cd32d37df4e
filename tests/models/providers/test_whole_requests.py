"""A whole request of each vendor's: its body to the last field, and how its client is to send it.

Of every model and call more is said than is sent: caps, and what LangChain keeps to itself.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from tests.models.vendors import deepseek, google, groq, mistral, ollama, openrouter, xai
from thrifty.ledger.idempotent_calls import fingerprint
from thrifty.models.costs.hosted_uses import NO_USES
from thrifty.models.costs.input_bound import (
    MESSAGE_OVERHEAD_TOKENS,
    TEMPLATE_TOKENS,
    TOOLS_TOKENS,
    as_json,
)
from thrifty.models.providers.caps import CAP_FIELDS
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.providers.vendors import vendor_model

NOBODY: Any = SimpleNamespace(root_url="http://127.0.0.1:9", base_url="http://127.0.0.1:9/v1")
TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "Does it.",
        "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}},
    },
}
SAID = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "four"}]
WORDS = len("Be brief.") + len("four")
PROMPT = WORDS + len(as_json(TOOL)) + 3 * MESSAGE_OVERHEAD_TOKENS + TEMPLATE_TOKENS + TOOLS_TOKENS
ASKED = {"tools": [TOOL], "temperature": 0.25, "max_tokens": 60, "stream_usage": False}
"""The arguments of each call."""
PLAIN = {"tools": [TOOL], "temperature": 0.25, "stop": ["END"]}
"""What of them is left to be sent."""


MORE = {"max_new_tokens": 70, "a": 1}
"""What goes into the body besides."""


class Case(NamedTuple):
    vendor: Any
    made: dict[str, Any]
    """The arguments of the model."""
    body: dict[str, Any]
    """What is sent, beside messages, tools, stop and temperature."""
    capped: dict[str, Any]
    """The arguments of a call that is to be sent with a cap of 40."""
    added_tokens: int = 0
    """What the vendor adds to the input by itself, beyond the room for any."""


PARAMETERS = {"type": "OBJECT", "properties": {"x": {"type": "INTEGER"}}, "required": []}
GOOGLES = {
    "contents": [{"role": "user", "parts": [{"text": "four"}]}],
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "tools": [
        {"functionDeclarations": [{**TOOL["function"], "parameters": PARAMETERS}]},
    ],
    "generationConfig": {"candidateCount": 1, "temperature": 0.25, "stopSequences": ["END"]},
}
CASES = {
    "groq": Case(
        groq,
        {"service_tier": "flex", "max_tokens": 90, "model_kwargs": MORE},
        {
            **{"model": "openai/gpt-oss-120b", "stream": False, "n": 1, "a": 1},
            **{"service_tier": "flex", "reasoning_effort": None, "reasoning_format": None},
        },
        {"max_tokens": 40},
    ),
    "mistral": Case(
        mistral,
        {"safe_mode": True, "max_tokens": 90, "model_kwargs": MORE},
        {"model": "mistral-small-latest", "safe_prompt": True, "top_p": 1, "a": 1},
        {"max_tokens": 40},
        added_tokens=100,
    ),
    "openrouter": Case(
        openrouter,
        {
            "reasoning": {"max_tokens": 8},
            "max_completion_tokens": 90,
            "max_tokens": 91,
            "model_kwargs": MORE,
        },
        {
            **{"model": "anthropic/claude-haiku-4.5", "stream": False, "a": 1},
            "reasoning": {"max_tokens": 8},
        },
        {"max_tokens": 40},
    ),
    "xai": Case(
        xai,
        {"model": "grok-3", "max_tokens": 90, "extra_body": MORE},
        {"model": "grok-3", "stream": False, "a": 1},
        {"max_completion_tokens": 40},
    ),
    "deepseek": Case(
        deepseek,
        {"max_tokens": 90, "extra_body": MORE},
        {"model": "deepseek-v3.1-terminus", "stream": False, "a": 1},
        {"extra_body": {"a": 1, "max_tokens": 40}},
    ),
    "ollama": Case(
        ollama,
        {"num_predict": 90, "num_ctx": 2_048},
        {
            **{"model": "qwen3", "stream": True, "think": None, "format": None},
            **{"keep_alive": None, "logprobs": None, "top_logprobs": None},
            "messages": [{**each, "images": []} for each in SAID],
            "options": {"num_ctx": 2_048, "stop": ["END"]},
        },
        {"options": {"num_ctx": 2_048, "stop": ["END"], "num_predict": 40}},
    ),
    "google": Case(
        google,
        {"max_output_tokens": 90, "safety_settings": {}},
        {**GOOGLES, "model": "gemini-2.5-flash", "n": 1, "safetySettings": []},
        {"max_output_tokens": 40},
    ),
}


def request(name: str, **more: Any) -> VendorRequest:
    case = CASES[name]
    given = vendor_model(case.vendor.client(NOBODY, **case.made))
    messages = [SystemMessage("Be brief."), HumanMessage("four")]
    return given.request(messages, ["END"], {**ASKED, **more}, CallBounds(500, 700))


@pytest.mark.parametrize("name", CASES)
def test_a_request_is_known_to_its_last_field(name):
    case, one = CASES[name], request(name)
    body = {"messages": SAID, **PLAIN, **case.body}
    if name == "google":
        body = case.body
    if name in ("ollama", "xai"):  # the one puts it among its options, the other leaves it out
        del body["stop"]
    assert one.body == body
    assert one.options == PLAIN
    assert one.vendor.cap_options(one, 40) == case.capped
    said = one.cap_wanted, one.audio_tokens, one.uses, one.tier, one.is_watched
    assert said == (60, 0, NO_USES, "", True)
    assert (one.model, one.bounds) == (body["model"], CallBounds(500, 700))
    if name != "google":
        assert one.input_tokens == PROMPT + case.added_tokens
    left_out = {*one.vendor.delivery_fields, *CAP_FIELDS}
    asked = {field: body[field] for field in body if field not in left_out}
    assert one.digest == fingerprint(as_json(asked))


def test_what_langchain_keeps_to_itself_is_left_out():
    told = request("openrouter", ls_structured_output_format={"kwargs": {}})
    assert told.body == request("openrouter").body


@pytest.mark.parametrize("name", CASES)
def test_no_cap_is_left_on_the_model_that_is_asked(name):
    connected = request(name).connected
    assert not {field for field in CAP_FIELDS if getattr(connected, field, None) is not None}
    held = [getattr(connected, field, None) or {} for field in ("model_kwargs", "extra_body")]
    assert {**held[0], **held[1]} == ({} if name in ("ollama", "google") else {"a": 1})

"""OpenAI's models, by both of its protocols."""

from dataclasses import replace
from functools import partial
from typing import Any

from langchain_openai import ChatOpenAI

from tests.harness.llm_server import LLMServer
from tests.models.vendors.vendor_case import Prices, VendorCase


def client(server: LLMServer, api: str = "chat", model: str = "gpt-4o", **options: Any) -> Any:
    given = {"base_url": server.base_url, "api_key": "sk-test", **options}
    return ChatOpenAI(model=model, use_responses_api=api == "responses", **given)


CHAT = VendorCase(
    name="openai-chat",
    column="OpenAI",
    api="chat",
    client=client,
    prices=Prices(input=2_500, cached=1_250, output=10_000),
    output_tokens_max=16_384,
    input_slack_tokens=40,
    caps={
        "of the model": ({"max_tokens": 50}, {}),
        "of the call": ({}, {"max_tokens": 50}),
        "of the call, by its new name": ({}, {"max_completion_tokens": 50}),
        "of the call, over the model's": ({"max_tokens": 1000}, {"max_tokens": 50}),
        "of the model, under the call's": ({"max_tokens": 50}, {"max_completion_tokens": 1000}),
        "in the extra body": ({"extra_body": {"max_tokens": 50}}, {}),
        "in the call's extra body": ({}, {"extra_body": {"max_tokens": 50}}),
        "by the name of the other protocol": ({}, {"max_output_tokens": 50}),
    },
    unbounded={
        "ask once for each answer": ({}, {"n": 2}),
        "n: got 3": ({}, {"extra_body": {"n": 3}}),
        "whole number from 1": ({}, {"max_tokens": -1}),
        "max_tokens: got True": ({}, {"max_tokens": True}),
        "sound has a price of its own": (
            {},
            {"web_search_options": {}, "modalities": ["text", "audio"]},
        ),
    },
    unpriced={
        "our-model": ({"model": "our-model"}, {}),
        "tier 'scale'": ({"model": "gpt-5"}, {"service_tier": "scale"}),
    },
)
RESPONSES = replace(
    CHAT,
    name="openai-responses",
    api="responses",
    client=partial(client, api="responses"),
    unbounded={
        "use 16 or more": ({}, {"max_tokens": 5}),
        "what it has stored": ({}, {"previous_response_id": "resp_1"}),
        "billed, at the provider": ({}, {"tools": [{"type": "web_search"}]}),
    },
)

"""Anthropic's models."""

from typing import Any

from langchain_anthropic import ChatAnthropic

from tests.harness.llm_server import LLMServer
from tests.models.vendors.vendor_case import Prices, VendorCase


def client(server: LLMServer, model: str = "claude-haiku-4-5", **options: Any) -> Any:
    given = {"base_url": server.root_url, "api_key": "sk-ant-test", **options}
    return ChatAnthropic(model=model, **given)


PICTURE = {
    "type": "image",
    "source_type": "base64",
    "mime_type": "image/png",
    "data": "iVBORw0KGgo=",
}
ANTHROPIC = VendorCase(
    name="anthropic",
    column="Anthropic",
    api="messages",
    client=client,
    prices=Prices(input=1_000, cached=100, written=1_250, written_1h=2_000, output=5_000),
    output_tokens_max=64_000,
    input_slack_tokens=250,
    counts=("cached_input_tokens", "written_input_tokens"),
    caps={
        "of the model": ({"max_tokens": 50}, {}),
        "of the call": ({}, {"max_tokens": 50}),
        "of the call, by another vendor's name": ({}, {"max_completion_tokens": 50}),
        "of the call, over the model's": ({"max_tokens": 1000}, {"max_tokens": 50}),
        "of the model, under the call's": ({"max_tokens": 50}, {"max_tokens": 1000}),
        "among the arguments of the model": (
            {"model_kwargs": {"extra_body": {"max_tokens": 50}}},
            {},
        ),
        "in the call's extra body": ({}, {"extra_body": {"max_tokens": 50}}),
    },
    unbounded={
        "whole number from 1": ({}, {"max_tokens": -1}),
        "web_search_20250305": (
            {},
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        ),
        "thinking.budget_tokens": (
            {"thinking": {"type": "enabled", "budget_tokens": 1_024}},
            {"max_tokens": 1_024},
        ),
    },
    unpriced={
        "our-model": ({"model": "our-model"}, {}),
        "tier 'us'": ({"inference_geo": "us"}, {}),
        "tier 'reserved'": ({"model_kwargs": {"service_tier": "reserved"}}, {}),
    },
    picture=PICTURE,
)

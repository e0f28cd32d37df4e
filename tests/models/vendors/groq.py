"""Groq's models."""

from typing import Any

from langchain_groq import ChatGroq

from tests.harness.llm_server import LLMServer
from tests.models.vendors.vendor_case import Prices, VendorCase


def client(server: LLMServer, model: str = "openai/gpt-oss-120b", **options: Any) -> Any:
    given = {"base_url": server.root_url, "api_key": "gsk_test", **options}
    return ChatGroq(model=model, **given)


GROQ = VendorCase(
    name="groq",
    column="Groq",
    api="groq",
    client=client,
    prices=Prices(input=150, cached=75, output=600),
    output_tokens_max=65_536,
    input_slack_tokens=300,
    caps={
        "of the model": ({"max_tokens": 50}, {}),
        "of the call": ({}, {"max_tokens": 50}),
        "of the call, by its new name": ({}, {"max_completion_tokens": 50}),
        "of the call, over the model's": ({"max_tokens": 1000}, {"max_tokens": 50}),
        "of the model, under the call's": ({"max_tokens": 50}, {"max_tokens": 1000}),
        "among the arguments of the model": (
            {"model_kwargs": {"max_completion_tokens": 50}},
            {},
        ),
        "in the call's extra body": ({}, {"extra_body": {"max_tokens": 50}}),
    },
    unbounded={
        "ask once for each answer": ({"n": 2}, {}),
        "whole number from 1": ({}, {"max_tokens": -1}),
        "asks several models": ({"model": "groq/compound-mini"}, {}),
        "browser_search": ({}, {"tools": [{"type": "browser_search"}]}),
    },
    unpriced={
        "our-model": ({"model": "our-model"}, {}),
        "tier 'performance'": ({}, {"service_tier": "performance"}),
    },
)

"""Mistral's models."""

from typing import Any

from langchain_mistralai import ChatMistralAI

from tests.harness.llm_server import LLMServer
from tests.models.vendors.vendor_case import Prices, VendorCase


def client(server: LLMServer, model: str = "mistral-small-latest", **options: Any) -> Any:
    given = {"base_url": f"{server.root_url}/mistral/v1", "api_key": "mk-test", **options}
    return ChatMistralAI(model=model, **given)


MISTRAL = VendorCase(
    name="mistral",
    column="Mistral",
    api="mistral",
    client=client,
    prices=Prices(input=150, cached=15, output=600),
    output_tokens_max=256_000,
    input_slack_tokens=300,
    caps={
        "of the model": ({"max_tokens": 50}, {}),
        "of the call": ({}, {"max_tokens": 50}),
        "of the call, by another vendor's name": ({}, {"max_completion_tokens": 50}),
        "of the call, over the model's": ({"max_tokens": 1000}, {"max_tokens": 50}),
        "of the model, under the call's": ({"max_tokens": 50}, {"max_tokens": 1000}),
    },
    unbounded={
        "ask once for each answer": ({}, {"n": 2}),
        "whole number from 1": ({}, {"max_tokens": -1}),
        "billed beyond the request": ({}, {"prediction": {"type": "content", "content": "x"}}),
    },
    unpriced={"our-model": ({"model": "our-model"}, {})},
)

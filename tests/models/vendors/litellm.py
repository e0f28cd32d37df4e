"""LiteLLM's models, here those of OpenAI: the one client under it that tries again by itself."""

from typing import Any

from tests.harness.llm_server import LLMServer
from tests.models.vendors.vendor_case import Prices, VendorCase
from tests.models.vendors.what_went_wrong import ALL


def client(server: LLMServer, model: str = "gpt-4o-mini", **options: Any) -> Any:
    from langchain_litellm import ChatLiteLLM  # takes seconds to import, and is asked in the long

    given = {"base_url": server.base_url, "api_key": "sk-test", **options}
    return ChatLiteLLM(model=f"openai/{model}", **given)


LITELLM = VendorCase(
    name="litellm",
    column="LiteLLM",
    api="chat",
    client=client,
    # Those of the dearest tier, as nothing says which one it was.
    prices=Prices(input=250, cached=125, output=1_000),
    output_tokens_max=4_096,
    input_slack_tokens=600,
    caps={
        "of the model": ({"max_tokens": 50}, {}),
        "of the model, among more": ({"model_kwargs": {"max_completion_tokens": 50}}, {}),
        "of the call": ({}, {"max_tokens": 50}),
        "of the call, by its new name": ({}, {"max_completion_tokens": 50}),
        "of the model, under the call's": ({"max_tokens": 50}, {"max_tokens": 1000}),
    },
    unbounded={
        "ask once for each answer": ({}, {"n": 2}),
        "whole number from 1": ({}, {"max_tokens": -1}),
        "what it has stored": ({}, {"previous_response_id": "resp_1"}),
        "web_search": ({}, {"tools": [{"type": "web_search"}]}),
        "fallbacks: each may be billed": ({"model_kwargs": {"fallbacks": ["openai/gpt-5"]}}, {}),
        "leave the output cap out": ({}, {"additional_drop_params": ["max_tokens"]}),
    },
    unpriced={"our-model": ({"model": "our-model"}, {})},
    own_retries={"max_retries": 5, "model_kwargs": {"max_retries": 5, "num_retries": 5}},
    # Whatever is wrong with a connection, LiteLLM calls it a failure of the server (500).
    charged={
        "half a character in a text": ALL,
        "a newline in a header": ALL,
        "nobody at the address": ALL,
        "a redirect to another address": ALL,
        "200 with a refusal and nothing else": ALL,
    },
)

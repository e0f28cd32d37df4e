"""OpenRouter's models: a gateway that says what each answer has cost."""

from typing import Any

from langchain_openrouter import ChatOpenRouter

from tests.harness.llm_server import LLMServer
from tests.models.vendors.vendor_case import Prices, VendorCase
from tests.models.vendors.what_went_wrong import ALL, BILL


def client(
    server: LLMServer, model: str = "anthropic/claude-haiku-4.5", **options: Any
) -> ChatOpenRouter:
    given = {"base_url": f"{server.root_url}/api/v1", "api_key": "sk-or-test", **options}
    return ChatOpenRouter(model=model, **given)


OPENROUTER = VendorCase(
    name="openrouter",
    column="OpenRouter",
    api="openrouter",
    client=client,
    prices=Prices(input=1_000, cached=100, written=1_250, output=5_000),
    output_tokens_max=64_000,
    input_slack_tokens=150,
    counts=("cached_input_tokens", "written_input_tokens"),
    caps={
        "of the model": ({"max_tokens": 50}, {}),
        "of the model, by its new name": ({"max_completion_tokens": 50}, {}),
        "of the call": ({}, {"max_tokens": 50}),
        "of the call, by its new name": ({}, {"max_completion_tokens": 50}),
        "of the call, over the model's": ({"max_tokens": 1000}, {"max_tokens": 50}),
        "of the model, under the call's": ({"max_tokens": 50}, {"max_completion_tokens": 1000}),
    },
    unbounded={
        "ask once for each answer": ({}, {"n": 2}),
        "whole number from 1": ({}, {"max_tokens": -1}),
        "plugins": ({"plugins": [{"id": "web"}]}, {}),
        "models: more is run": ({}, {"models": ["openai/gpt-4o", "openai/gpt-5"]}),
        "route": ({"route": "fallback"}, {}),
        "what it finds is read as well": ({"model": "openai/gpt-4o:online"}, {}),
        "images have prices": ({}, {"modalities": ["image", "text"]}),
        "'openrouter:web_search' runs": ({}, {"tools": [{"type": "openrouter:web_search"}]}),
        "larger than reasoning.max_tokens": (
            {"reasoning": {"max_tokens": 2_000}},
            {"max_tokens": 2_000},
        ),
    },
    unpriced={"our-model": ({"model": "our-model"}, {})},
    charged={"half a character in a text": BILL, "529: no room": ALL},
)

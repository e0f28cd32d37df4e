"""Google's models, by Gemini's own API."""

from typing import Any

from langchain_google_genai import ChatGoogleGenerativeAI

from tests.harness.llm_server import LLMServer
from tests.models.vendors.vendor_case import Prices, VendorCase
from tests.models.vendors.what_went_wrong import BILL


def client(server: LLMServer, model: str = "gemini-2.5-flash", **options: Any) -> Any:
    given = {"base_url": server.root_url, "api_key": "AIza-test", **options}
    return ChatGoogleGenerativeAI(model=model, **given)


GOOGLE = VendorCase(
    name="google",
    column="Google",
    api="gemini",
    client=client,
    prices=Prices(input=300, cached=30, output=2_500),
    output_tokens_max=65_536,
    input_slack_tokens=150,
    caps={
        "of the model": ({"max_output_tokens": 50}, {}),
        "of the model, by another vendor's name": ({"max_tokens": 50}, {}),
        "of the call": ({}, {"max_output_tokens": 50}),
        "of the call, by another vendor's name": ({}, {"max_tokens": 50}),
        "of the call, over the model's": ({"max_tokens": 1000}, {"max_output_tokens": 50}),
        "of the model, under the call's": ({"max_tokens": 50}, {"max_output_tokens": 1000}),
        "in the call's settings": ({}, {"generation_config": {"max_output_tokens": 50}}),
        "in the call's settings, as it is sent": (
            {},
            {"generation_config": {"maxOutputTokens": 50}},
        ),
    },
    unbounded={
        "ask once for each answer": ({}, {"candidate_count": 2}),
        "n: got 3": ({"n": 3}, {}),
        "whole number from 1": ({}, {"max_tokens": -1}),
        "'googleSearch' runs at Google": ({}, {"tools": [{"google_search": {}}]}),
        "cachedContent": ({"cached_content": "cachedContents/1"}, {}),
        "give them to the model itself": ({}, {"http_options": {"base_url": "http://x.invalid"}}),
    },
    charged={"half a character in a text": BILL},
    unpriced={
        "our-model": ({"model": "our-model"}, {}),
        "tier 'priority'": ({}, {"service_tier": "priority"}),
    },
)

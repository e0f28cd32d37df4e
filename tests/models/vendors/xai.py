"""xAI's models."""

from typing import Any

from langchain_xai import ChatXAI

from tests.harness.llm_server import LLMServer
from tests.models.vendors.vendor_case import ALL, Prices, VendorCase


def client(server: LLMServer, model: str = "grok-3-mini", **options: Any) -> Any:
    given = {"base_url": f"{server.root_url}/xai/v1", "api_key": "xai-test", **options}
    return ChatXAI(model=model, **given)


XAI = VendorCase(
    name="xai",
    column="xAI",
    api="xai",
    client=client,
    prices=Prices(input=300, cached=75, output=500),
    output_tokens_max=4_096,
    input_slack_tokens=300,
    caps={
        "of the model": ({"max_tokens": 50}, {}),
        "of the call": ({}, {"max_tokens": 50}),
        "of the call, by its new name": ({}, {"max_completion_tokens": 50}),
        "in the call's extra body": ({}, {"extra_body": {"max_tokens": 50}}),
    },
    unbounded={
        "ask once for each answer": ({}, {"n": 2}),
        "search_parameters": ({}, {"extra_body": {"search_parameters": {"mode": "on"}}}),
        "x_search": ({}, {"tools": [{"type": "x_search"}]}),
    },
    unpriced={"our-model": ({"model": "our-model"}, {})},
    charged={  # its errors have no codes
        "529: no room": ALL,
    },
)

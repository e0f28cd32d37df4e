"""DeepSeek's models."""

from typing import Any

from langchain_deepseek import ChatDeepSeek

from tests.harness.llm_server import LLMServer
from tests.models.vendors.vendor_case import Prices, VendorCase


def client(server: LLMServer, model: str = "deepseek-v3.1-terminus", **options: Any) -> Any:
    given = {"base_url": f"{server.root_url}/deepseek", "api_key": "sk-ds-test", **options}
    return ChatDeepSeek(model=model, **given)


DEEPSEEK = VendorCase(
    name="deepseek",
    column="DeepSeek",
    api="deepseek",
    client=client,
    prices=Prices(input=270, cached=130, output=950),
    output_tokens_max=4_096,
    input_slack_tokens=300,
    caps={
        "of the model": ({"max_tokens": 50}, {}),
        "of the call": ({}, {"max_tokens": 50}),
        "of the call, by the name that DeepSeek has not": ({}, {"max_completion_tokens": 50}),
        "of the call, over the model's": ({"max_tokens": 1000}, {"max_tokens": 50}),
        "in the extra body": ({"extra_body": {"max_tokens": 50}}, {}),
        "in the call's extra body": ({}, {"extra_body": {"max_tokens": 50}}),
    },
    unbounded={"ask once for each answer": ({}, {"n": 2})},
    unpriced={"our-model": ({"model": "our-model"}, {})},
)

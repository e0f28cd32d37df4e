"""Bedrock's models, by the Converse API."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from langchain_aws import ChatBedrockConverse

from tests.harness.llm_server import LLMServer
from tests.models.vendors.vendor_case import Prices, VendorCase
from tests.models.vendors.what_went_wrong import ALL, BILL

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"


def client(
    server: LLMServer, model: str = HAIKU, *, key: str = "AKIATEST", **options: Any
) -> ChatBedrockConverse:
    """A model whose client is made in one session, as each session reads megabytes."""
    asking = _session().client(
        "bedrock-runtime",
        endpoint_url=options.pop("base_url", server.root_url),
        aws_access_key_id=key,
        aws_secret_access_key="secret",
        config=Config(retries={"max_attempts": options.pop("max_retries", 0)}),
    )
    provider = model.partition(".")[0]
    given = {"client": asking, "bedrock_client": asking, "provider": provider, **options}
    return ChatBedrockConverse(model=model, **given)


@cache
def _session() -> boto3.Session:
    return boto3.Session(region_name="us-east-1")


BEDROCK = VendorCase(
    name="bedrock",
    column="Bedrock",
    api="bedrock",
    client=client,
    prices=Prices(input=1_100, cached=110, written=1_375, written_1h=2_200, output=5_500),
    output_tokens_max=64_000,
    input_slack_tokens=250,
    counts=("cached_input_tokens", "written_input_tokens"),
    caps={
        "of the model": ({"max_tokens": 50}, {}),
        "of the call": ({}, {"max_tokens": 50}),
        "of the call, as it is sent": ({}, {"maxTokens": 50}),
        "of the call, by another vendor's name": ({}, {"max_completion_tokens": 50}),
        "of the call, over the model's": ({"max_tokens": 1000}, {"max_tokens": 50}),
        "of the model, under the call's": ({"max_tokens": 50}, {"max_tokens": 1000}),
    },
    unbounded={
        "whole number from 1": ({}, {"max_tokens": -1}),
        "does not reach the model": ({}, {"inference_config": {"temperature": 0.5}}),
        "guardrailConfig": ({"guardrail_config": {"guardrailIdentifier": "g"}}, {}),
        "thinking.budget_tokens": (
            {"additional_model_request_fields": {"thinking": {"budget_tokens": 1_024}}},
            {"max_tokens": 1_024},
        ),
    },
    unpriced={
        "our-model": ({"model": "our-model"}, {}),
        "tier 'priority'": ({"service_tier": "priority"}, {}),
        "tier 'optimized'": ({"performance_config": {"latency": "optimized"}}, {}),
    },
    charged={"half a character in a text": BILL, "529: no room": ALL},
    broken_header={"key": "AKIA\nX-Other: 1"},
)

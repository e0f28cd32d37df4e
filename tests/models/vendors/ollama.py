"""Models on a machine of one's own, at Ollama."""

from typing import Any

from langchain_ollama import ChatOllama

from tests.harness.llm_server import LLMServer
from tests.models.vendors.vendor_case import ALL, Prices, VendorCase
from thrifty import TokenPrice


def client(server: LLMServer, model: str = "qwen3", **options: Any) -> Any:
    return ChatOllama(model=model, **{"base_url": server.root_url, **options})


OLLAMA = VendorCase(
    name="ollama",
    column="Ollama",
    api="ollama",
    client=client,
    prices=Prices(input=20, cached=20, output=60),
    output_tokens_max=4_096,
    input_slack_tokens=300,
    counts=(),
    caps={
        "of the model": ({"num_predict": 50}, {}),
        "of the call": ({}, {"options": {"num_predict": 50}}),
        "of the call, by another vendor's name": ({}, {"max_tokens": 50}),
        "of the call, over the model's": (
            {"num_predict": 1000},
            {"options": {"num_predict": 50, "temperature": 0}},
        ),
        "of the model, under the call's": (
            {"num_predict": 50},
            {"options": {"num_predict": 1000}},
        ),
        "of the model, where the call has none": (
            {"num_predict": 50},
            {"options": {"num_predict": -1}},
        ),
    },
    unbounded={
        "whole number from 1": ({"num_predict": 0}, {}),
        "max_tokens: got True": ({}, {"options": {"num_predict": True}}),
    },
    unpriced={r"no models of ollama.*TokenPrice\(0, 0\)": ({"model": "gpt-oss:120b-cloud"}, {})},
    broken_header={"client_kwargs": {"headers": {"X-Tag": "a\nb"}}},
    own_retries={},
    terms={"prices": {"qwen3": TokenPrice(0.02, 0.06)}},
    charged={  # its errors have no codes
        "529: no room": ALL,
        "200 with a refusal and nothing else": ALL,
    },
)

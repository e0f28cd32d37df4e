"""What of an answer's count and cost LangChain leaves out, and is put where it is looked for."""

from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from tests.models.vendors import groq, mistral, openrouter
from thrifty.models.providers.vendors import vendor_model
from thrifty.models.wire.exchange import watch_exchange

NOBODY: Any = SimpleNamespace(root_url="http://127.0.0.1:9")
COUNT = {"input_tokens": 9, "output_tokens": 1, "total_tokens": 10}
DETAILS = {"upstream_inference_cost": 0.03}


def completed(vendor: Any, usage: Any = None, **said: Any) -> AIMessage:
    """An answer, with what its request knows of it."""
    given = vendor_model(vendor.client(NOBODY))
    message = AIMessage("Yes.", usage_metadata=usage and dict(usage), response_metadata=said)
    given.complete_usage(message, {})
    return message


@pytest.mark.parametrize(
    ("said", "reported"),
    [
        ({"cost": 0.02}, {"cost": 0.02, "cost_details": {}, "is_byok": False}),
        ({"cost": 0.0}, {"cost": 0.0, "cost_details": {}, "is_byok": False}),
        (
            {"cost": 0.02, "cost_details": DETAILS},
            {"cost": 0.02, "cost_details": DETAILS, "is_byok": True},
        ),
        (
            {"cost": 0.03, "cost_details": DETAILS},
            {"cost": 0.03, "cost_details": DETAILS, "is_byok": False},
        ),
        ({}, None),
    ],
)
def test_what_openrouter_says_of_its_cost_stands_where_that_of_gateways_does(said, reported):
    told = completed(openrouter, **said).response_metadata
    assert told == {**said, **({"token_usage": reported} if reported else {})}


def test_a_tier_of_groqs_at_the_standards_price_is_none_in_an_answer_either():
    tiers = ("on_demand", "flex", "performance")
    told = [completed(groq, service_tier=tier).response_metadata for tier in tiers]
    assert told == [{"service_tier": ""}, {"service_tier": ""}, {"service_tier": "performance"}]
    assert completed(groq).response_metadata == {}


CACHED = {"prompt_tokens_details": {"cached_tokens": 7}}
EVENT = b'data: {"usage": {"prompt_tokens_details": {"cached_tokens": 7}}}'


@pytest.mark.parametrize(
    ("said", "tail", "cached"),
    [
        ({"token_usage": CACHED}, b"", 7),
        ({"token_usage": {"prompt_tokens_details": None}}, b"", None),
        ({}, EVENT + b"\n\ndata: [DONE]\n\n", 7),
        ({}, b'\xe4"}\n\n' + EVENT + b'\n\ndata: {"usage": 3}\n\n', 7),
        ({}, EVENT + b'\n\ndata: "usage"\n\ndata: {"usage", 1}\n\n', 7),
        ({}, EVENT + b'\n\ndata: {"id": "usage"}\n\nevent: {"usage": {}}\n\n', 7),
        ({}, EVENT + b'\n\ndata: {"usage": {}}\n\n', None),
        ({}, b"", None),
    ],
)
def test_what_mistral_had_in_its_cache_is_read_of_its_answer_or_of_its_last_event(
    said, tail, cached
):
    with watch_exchange() as exchange:
        exchange.keep(tail)
        usage = completed(mistral, COUNT, **said).usage_metadata
        assert completed(mistral, None, **said).usage_metadata is None
    assert usage == {**COUNT, **({"input_token_details": {"cache_read": 7}} if cached else {})}


def test_an_answer_of_mistrals_that_nobody_watched_has_no_more_than_its_count():
    assert completed(mistral, COUNT).usage_metadata == COUNT

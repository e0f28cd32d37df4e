"""What is refused because nobody can say how much it is at most, in words that say what to do."""

from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from tests.models.vendors import google, groq, mistral, ollama, openai, openrouter, other, xai
from thrifty import Budget, InvalidInput
from thrifty.models.costs.use_fees import FEE_REMEDY, UNDECLARED_REMEDY
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.providers.vendors import vendor_model

NOBODY: Any = SimpleNamespace(root_url="http://127.0.0.1:9", base_url="http://127.0.0.1:9/v1")
LEAVE_OUT = "leave it out, or limit neither tokens nor cost"
SIZES = "say what each may take: metered(..., tokens_per_attachment=1_500)"
ASK_ONCE = "ask once for each answer"
PICTURE = HumanMessage([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}])


def request(vendor: Any, made: Any = None, said: Any = "four", **asked: Any) -> VendorRequest:
    given = vendor_model(vendor.client(NOBODY, **(made or {})))
    message = said if isinstance(said, HumanMessage) else HumanMessage(said)
    return given.request([message], None, asked, CallBounds(5_000))


def refusal(vendor: Any, **asked: Any) -> tuple[str, Any, str]:
    with pytest.raises(InvalidInput) as refused:
        request(vendor, **asked).check_bounded(Budget(max_tokens=10, max_cost_usd=1))
    return refused.value.field, refused.value.value, refused.value.remedy


SYSTEM = "groq/compound-mini: it asks several models, and tools that run at the provider"
MORE_IS_RUN = "more is run, or by another model, than the request says"
ONLINE = {"model": "openai/gpt-4o:online"}
SONAR = {"model": "perplexity/sonar"}
SOURCES = "search_parameters: each source that it reads has a fee, and is input"
DRAWS = {"model": "gemini-2.5-flash-image"}
MAPS = {"tools": [{"google_maps": {}}]}


@pytest.mark.parametrize(
    ("vendor", "asked", "why"),
    [
        (openrouter, {"plugins": [{"id": "web"}]}, f"plugins: {MORE_IS_RUN}"),
        (openrouter, {"models": ["a/b"]}, f"models: {MORE_IS_RUN}"),
        (openrouter, {"route": "fallback"}, f"route: {MORE_IS_RUN}"),
        (openrouter, {"preset": "p"}, f"preset: {MORE_IS_RUN}"),
        (openrouter, {"made": ONLINE}, f"{ONLINE['model']}: what it finds is read as well"),
        (openrouter, {"modalities": ["image"]}, "modalities: images have prices of their own"),
        (openrouter, {"modalities": ["audio"]}, "modalities: sound has a price of its own"),
        (xai, {"extra_body": {"search_parameters": {"mode": "on"}}}, SOURCES),
        (other, {"tools": [{"type": "web_search"}]}, "tools: web_search"),
        (other, {"prompt": {"id": "p"}}, "prompt: the provider adds what it has stored"),
        (
            *(google, {"cached_content": "cachedContents/1"}),
            "cachedContent: Google adds what it has stored",
        ),
        (google, MAPS, "tools: 'googleMaps' runs at Google, or adds what nobody counted"),
        (
            *(google, {"made": DRAWS}),
            "responseModalities: sound and pictures have prices of their own",
        ),
    ],
)
def test_what_is_billed_beyond_the_request_is_to_be_left_out(vendor, asked, why):
    assert refusal(vendor, **asked) == ("request", why, LEAVE_OUT)


@pytest.mark.parametrize(
    ("vendor", "asked", "refused"),
    [
        (
            *(groq, {"made": {"model": "groq/compound-mini"}}),
            (
                *("request", SYSTEM),
                "name one model, or limit neither tokens nor cost",
            ),
        ),
        (
            *(openrouter, {"made": SONAR}),
            ("request", "perplexity/sonar, which searches by itself", UNDECLARED_REMEDY),
        ),
        (
            *(openai, {"made": {"model": "gpt-4o-search-preview"}}),
            ("request", "gpt-4o-search-preview, which searches by itself", FEE_REMEDY),
        ),
        (
            *(openrouter, {"made": {"reasoning": {"max_tokens": 2_000}}, "max_tokens": 2_000}),
            (
                *("max_tokens", 2_000),
                "use 2,001 or more; max_tokens has to be larger than reasoning.max_tokens",
            ),
        ),
        (
            *(openai, {"made": {"api": "responses"}, "max_tokens": 15}),
            ("max_tokens", 15, "use 16 or more; the Responses API takes no smaller cap"),
        ),
        (openai, {"n": 2}, ("n", 2, ASK_ONCE)),
        (other, {"best_of": 2}, ("best_of", 2, ASK_ONCE)),
        (other, {"candidate_count": 2}, ("candidate_count", 2, ASK_ONCE)),
        *(
            (vendor, {"said": PICTURE}, ("messages", "1 images or files", SIZES))
            for vendor in (google, mistral, ollama, other)
        ),
        (
            *(google, {"http_options": {"timeout": 1}}),
            ("http_options", "of a call", "give them to the model itself"),
        ),
        (
            *(google, {"generation_config": [("maxOutputTokens", 9)]}),
            ("max_output_tokens", 9, "give it to the call by this name"),
        ),
    ],
)
def test_what_else_cannot_be_asked_within_limits_says_what_can(vendor, asked, refused):
    assert refusal(vendor, **asked) == refused


@pytest.mark.parametrize("vendor", [openrouter, other])
def test_a_field_that_says_nothing_is_no_more_than_the_request(vendor):
    said = {"plugins": [], "models": None, "modalities": ["text"], "best_of": 1}
    one = request(vendor, **said)
    one.check_bounded(Budget(max_tokens=10, max_cost_usd=1))
    assert one.cap_min == 1


@pytest.mark.parametrize(
    ("vendor", "tiers"),
    [
        (openrouter, {"auto": "", "default": "", "flex": "flex"}),
        (other, {"flex": "flex", None: ""}),
        (ollama, {"flex": ""}),
        (google, {"priority": "priority", "FLEX": "flex", "standard": "", "unspecified": ""}),
        (google, {None: ""}),
    ],
)
def test_a_tier_is_what_has_a_price_of_its_own(vendor, tiers):
    read = {tier: request(vendor, service_tier=tier).tier for tier in tiers}
    assert read == tiers

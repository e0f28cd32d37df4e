"""A request to Groq, Mistral, DeepSeek or xAI alone: what it asks, and how large it is."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, HumanMessage

from tests.models.vendors import deepseek, groq, mistral, xai
from thrifty import Budget, InvalidInput
from thrifty.models.costs.input_bound import MESSAGE_OVERHEAD_TOKENS, TEMPLATE_TOKENS, TOOLS_TOKENS
from thrifty.models.providers.caps import CAP_FIELDS
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.providers.vendors import vendor_model

NOBODY: Any = type("Nobody", (), {"root_url": "http://127.0.0.1:9"})
BOUNDS = CallBounds(5_000)
LIMITED = Budget(max_tokens=10_000)
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
FOUR = len("four") + MESSAGE_OVERHEAD_TOKENS + TEMPLATE_TOKENS
CASES = {"deepseek": deepseek, "xai": xai, "groq": groq, "mistral": mistral}
ALL = pytest.mark.parametrize("name", CASES)


def model(name: str, **made: Any) -> Vendor:
    return vendor_model(CASES[name].client(NOBODY, **made))


def request(
    name: str, *messages: Any, made: Mapping[str, Any] = {}, **options: Any
) -> VendorRequest:
    given = [*messages] or [HumanMessage("four")]
    return model(name, **made).request(given, None, options, BOUNDS)


LISTED_AS = {"deepseek": "deepseek", "xai": "x-ai", "groq": "groq", "mistral": "mistral"}
ADDRESSES = {
    "deepseek": "http://127.0.0.1:9/deepseek/",
    "xai": "http://127.0.0.1:9/xai/v1/",
    "groq": "http://127.0.0.1:9",
    "mistral": "http://127.0.0.1:9/mistral/v1",
}


@ALL
def test_it_knows_whom_it_asks_and_what_the_price_list_calls_them(name):
    one = request(name)
    assert (one.listed_as, one.vendor.address) == (LISTED_AS[name], ADDRESSES[name])
    assert (one.provider, one.cap_wanted, one.cap_min, one.tier) == (name, None, 1, "")
    assert one.is_watched


@ALL
def test_the_input_is_bounded_by_bytes_and_room_for_what_the_vendor_adds(name):
    assert request(name).input_tokens == FOUR
    assert request(name, HumanMessage("vier Ä")).input_tokens == FOUR + 3
    schema = '{"function":{"name":"f","parameters":{"type":"object"}},"type":"function"}'
    with_tool = FOUR + len(schema) + MESSAGE_OVERHEAD_TOKENS + TOOLS_TOKENS
    assert request(name, tools=[TOOL]).input_tokens == with_tool


@ALL
def test_what_is_sent_has_no_cap_of_the_models_own(name):
    body = request(name, made={"max_tokens": 9}).body
    assert not any(body.get(field) for field in CAP_FIELDS)


@ALL
def test_what_is_no_text_may_be_sound(name):
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    given = model(name)
    one = given.request([HumanMessage([sound])], None, {}, CallBounds(5_000, 700))
    assert (one.audio_tokens, one.input_tokens) == (700, FOUR - len("four") + 700)
    for bounded in (one, request(name)):
        bounded.check_bounded(LIMITED)
    unbounded = given.request([HumanMessage([sound])], None, {}, BOUNDS)
    assert (unbounded.audio_tokens, unbounded.input_tokens) == (0, FOUR - len("four"))
    with pytest.raises(InvalidInput, match="got '1 images or files'; say what each may take"):
        unbounded.check_bounded(LIMITED)


@pytest.mark.parametrize("name", ["deepseek", "groq", "mistral"])
def test_it_is_asked_as_it_was_made_and_told_where_to_stop(name):
    one = model(name, temperature=0.5).request([HumanMessage("four")], ["x"], {}, BOUNDS)
    assert one.body["stop"] == ["x"]
    assert one.body["temperature"] == 0.5
    assert one.body["messages"] == [{"role": "user", "content": "four"}]


@ALL
def test_a_cap_is_a_number_of_tokens(name):
    with pytest.raises(InvalidInput) as refused:
        request(name, max_tokens=0)
    assert str(refused.value) == "max_tokens: got 0; use a whole number from 1"


@pytest.mark.parametrize("name", ["groq", "mistral"])
def test_a_tier_is_told_as_it_is_asked_for(name):
    assert request(name, service_tier="performance").tier == "performance"


@pytest.mark.parametrize("name", ["groq", "mistral"])
def test_a_model_that_searches_by_itself_is_refused_where_money_is_limited(name):
    one = request(name, made={"model": "sonar"})
    one.check_bounded(LIMITED)
    with pytest.raises(InvalidInput) as refused:
        one.check_bounded(Budget(max_cost_usd=1))
    assert refused.value.field == "request"
    assert refused.value.value == "sonar, which searches by itself"


@ALL
def test_the_same_question_has_the_same_digest_however_it_is_sent(name):
    one = request(name).digest
    same = [request(name, max_tokens=40), request(name, made={"max_tokens": 9})]
    same += [request(name, stream=True, timeout=3)]
    assert {other.digest for other in same} == {one}
    others = [request(name, HumanMessage("five")), request(name, tools=[TOOL])]
    assert len({one, *(other.digest for other in others)}) == 3


@ALL
def test_of_no_transport_of_ones_own_it_is_said_that_nothing_left(name):
    field = "async_client" if name == "mistral" else "http_async_client"
    own = httpx.AsyncClient(base_url="http://127.0.0.1:9")
    if name in ("deepseek", "xai"):
        import httpx2

        own = httpx2.AsyncClient(base_url="http://127.0.0.1:9")
    given = model(name, **{field: own})
    one = given.request([HumanMessage("four")], None, {}, BOUNDS)
    assert not one.is_watched
    used = one.connected.async_client
    assert (used if name == "mistral" else used._client._client) is own


@pytest.mark.parametrize(
    ("tier", "told"), [("on_demand", ""), ("flex", ""), ("auto", "auto"), ("performance",) * 2]
)
def test_two_tiers_of_groqs_have_one_price(tier, told):
    assert request("groq", service_tier=tier).tier == told


@pytest.mark.parametrize("system", ["groq/compound", "groq/compound-mini", "compound-beta"])
def test_what_asks_several_models_at_groq_has_no_bound(system):
    one = request("groq", made={"model": system})
    with pytest.raises(InvalidInput, match="asks several models"):
        one.check_bounded(LIMITED)


def test_groqs_tools_that_run_there_have_no_bound():
    one = request("groq", tools=[{"type": "code_interpreter"}])
    with pytest.raises(InvalidInput, match="runs, and is billed"):
        one.check_bounded(LIMITED)


@pytest.mark.parametrize(
    ("made", "options", "added"),
    [
        ({"safe_mode": True}, {}, 100),
        ({}, {"prompt_mode": "reasoning"}, 600),
        ({"model": "magistral-medium-latest"}, {}, 600),
        ({"model": "magistral-medium-latest"}, {"prompt_mode": None}, 0),
    ],
)
def test_what_mistral_tells_a_model_by_itself_has_room(made, options, added):
    assert request("mistral", made=made, **options).input_tokens == FOUR + added


@pytest.mark.parametrize(
    "part",
    [
        {"type": "thinking", "thinking": [{"type": "text", "text": "x" * 500}]},
        {"type": "reference", "reference_ids": [1], "text": "x" * 500},
    ],
)
def test_thought_and_citations_of_mistrals_are_text_when_they_are_sent_back(part):
    said = AIMessage([part, {"type": "text", "text": "Yes."}])
    one = request("mistral", HumanMessage("four"), said, HumanMessage("Why?"))
    one.check_bounded(LIMITED)
    assert 500 < one.input_tokens < 900
    assert one.audio_tokens == 0


def test_deepseek_is_told_its_cap_by_the_one_name_that_it_knows():
    one = request("deepseek")
    assert one.vendor.cap_options(one, 40) == {"extra_body": {"max_tokens": 40}}
    assert request("xai").vendor.cap_options(request("xai"), 40) == {"max_completion_tokens": 40}


def test_only_the_model_of_deepseeks_that_thinks_does():
    kind = type(model("deepseek"))
    assert kind.thinking("deepseek-reasoner", "auto") == Thinking("high")
    assert kind.thinking("deepseek-chat", "none") == Thinking()
    assert kind.thinking_of(deepseek.client(NOBODY, model="deepseek-reasoner")) == Thinking("high")
    assert kind.thinking_of(deepseek.client(NOBODY, model="deepseek-chat")) == Thinking()
    for name, told in [
        ("deepseek-reasoner", "leave it out: deepseek-reasoner thinks by itself"),
        ("deepseek-chat", "leave it out: DeepSeek takes none here"),
    ]:
        with pytest.raises(InvalidInput) as refused:
            kind.thinking(name, "low")
        assert str(refused.value) == f"effort: got 'low'; {told}"


def test_a_search_of_xais_is_refused():
    one = request("xai", extra_body={"search_parameters": {"mode": "auto"}})
    with pytest.raises(InvalidInput, match="search_parameters"):
        one.check_bounded(LIMITED)

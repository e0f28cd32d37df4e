"""A request to Anthropic alone: what it asks, how large it is, and what is refused of it."""

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from tests.models.conftest import claude
from thrifty import Budget, InvalidInput, UseFee
from thrifty.models.costs.hosted_uses import HostedUses
from thrifty.models.costs.input_bound import TEMPLATE_TOKENS, TOOLS_TOKENS
from thrifty.models.providers.anthropic import AnthropicModel
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.wire import connection_pool

NOBODY: Any = SimpleNamespace(root_url="http://127.0.0.1:9")
LIMITED = Budget(max_tokens=10_000)
BOUNDS = CallBounds(5_000)
TOOL = {"name": "f", "description": "Does it.", "input_schema": {"type": "object"}}


def request(
    *messages: Any, bounds: CallBounds = BOUNDS, made: Any = None, **options: Any
) -> VendorRequest:
    model = AnthropicModel(claude(NOBODY, **(made or {})))
    return model.request([*messages] or [HumanMessage("four")], None, options, bounds)


def size(**read: Any) -> int:
    """The bytes of what is read."""
    written = json.dumps(read, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return len(written.encode()) + TEMPLATE_TOKENS


def test_it_knows_whom_it_asks_and_what_the_price_list_calls_them():
    one = request()
    assert (one.model, one.provider, one.listed_as) == (
        "claude-haiku-4-5",
        "anthropic",
        "anthropic",
    )
    assert (one.cap_wanted, one.cap_min, one.tier, one.is_watched) == (64_000, 1, "", True)
    model = AnthropicModel(claude(NOBODY))
    assert (model.name, model.address) == ("claude-haiku-4-5", "http://127.0.0.1:9")
    assert model.output_tokens_max == 64_000


ADAPTIVE = {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [
        ("claude-haiku-4-5", "none", Thinking()),
        ("claude-haiku-4-5", "auto", Thinking()),
        (
            "claude-haiku-4-5",
            "low",
            Thinking("low", {"thinking": {"type": "enabled", "budget_tokens": 2_048}}, 2_048),
        ),
        ("claude-opus-4-5", "minimal", Thinking("low", {"reasoning_effort": "low"})),
        ("claude-opus-4-5", "medium", Thinking("medium", {"reasoning_effort": "medium"})),
        (
            "claude-opus-4-7",
            "high",
            Thinking("high", {"reasoning_effort": "high", "thinking": ADAPTIVE}),
        ),
        ("claude-opus-4-7", "auto", Thinking()),
        (
            "claude-opus-5",
            "auto",
            Thinking("low", {"reasoning_effort": "low", "thinking": ADAPTIVE}),
        ),
        ("claude-opus-5", "none", Thinking(None, {"thinking": {"type": "disabled"}})),
        (
            "claude-opus-5-5",
            "high",
            Thinking("high", {"reasoning_effort": "high", "thinking": ADAPTIVE}),
        ),
    ],
)
def test_a_model_is_told_how_hard_to_think_as_it_takes_it(model, effort, thinking):
    assert AnthropicModel.thinking(model, effort) == thinking


def test_who_always_thinks_cannot_be_told_not_to():
    with pytest.raises(InvalidInput) as refused:
        AnthropicModel.thinking("claude-opus-5-5", "none")
    told = "effort: got 'none'; use low: claude-opus-5-5 cannot be told not to think"
    assert str(refused.value) == told


@pytest.mark.parametrize(
    ("made", "thinking"),
    [
        ({}, Thinking()),
        ({"reasoning_effort": "low"}, Thinking("low")),
        ({"output_config": {"effort": "medium"}}, Thinking("medium")),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2_048}},
            Thinking("high", tokens=2_048),
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2_048}, "reasoning_effort": "low"},
            Thinking("low", tokens=2_048),
        ),
        ({"thinking": {"type": "adaptive"}}, Thinking("high")),
        ({"model": "claude-opus-5"}, Thinking("high")),
        ({"model": "claude-opus-5", "reasoning_effort": "low"}, Thinking("low")),
        ({"model": "claude-opus-5", "thinking": {"type": "disabled"}}, Thinking()),
    ],
)
def test_how_hard_a_model_thinks_is_known_by_how_it_was_made(made, thinking):
    given = {"model": "claude-haiku-4-5", "thinking": None, "reasoning_effort": None}
    model = SimpleNamespace(**{**given, "output_config": None, **made})
    assert AnthropicModel.thinking_of(model) == thinking


def test_old_models_can_write_shorter_answers():
    names = ("claude-3-haiku", "claude-haiku-4-5")
    assert [AnthropicModel.output_tokens_most(name, "") for name in names] == [4_000, 16_000]


def test_where_models_are_listed():
    for address in ("https://a.invalid", "https://a.invalid/"):
        listed, headers = AnthropicModel.list_request(address, "k")
        assert listed == "https://a.invalid/v1/models?limit=1000"
        assert list(headers) == ["Authorization", "anthropic-version"]
        assert headers["Authorization"] == "Bearer k"


def test_it_is_asked_once_on_connections_of_this_process_without_caps_of_its_own(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-team: a")
    made = {
        "max_tokens": 9,
        "model_kwargs": {"extra_body": {"max_tokens": 50, "brief": "x"}},
    }
    given = claude(NOBODY, max_retries=7, **made)
    kept = given._client_params, given._client, given._async_client  # as if it had been used
    for is_apart in (False, True):
        vendor = AnthropicModel(given)
        vendor.is_apart = is_apart
        connected = vendor.request([HumanMessage("four")], None, {}, BOUNDS).connected
        assert connected.max_tokens is None
        assert connected.model_kwargs == {"extra_body": {"brief": "x"}}
        client = connected._async_client
        assert (client.max_retries, client.api_key) == (0, "sk-ant-test")
        assert str(client.base_url) == "http://127.0.0.1:9"
        assert client._client is connection_pool.connections("anthropic", proxy="")
        assert client._process_response.func is connection_pool.parse_beside
        (process,) = client._process_response.args
        assert process == type(client)._process_response.__get__(client)
        own = {"User-Agent": given._client_params["default_headers"]["User-Agent"]}
        assert client._custom_headers == (own if is_apart else {"x-team": "a", **own})
    assert kept == (given._client_params, given._client, given._async_client)


SEARCH = {"type": "web_search_20250305", "name": "web_search"}
SEARCHES = {"web_search": UseFee(0.01, uses_max=3, tokens_max=2_000)}


def test_each_tool_is_told_how_often_it_may_be_used_as_was_declared():
    bounds = CallBounds(5_000, fees=SEARCHES)
    tools = [{**SEARCH, **most} for most in ({}, {"max_uses": 1}, {"max_uses": 9})]
    one = request(tools=[*tools, TOOL], bounds=bounds)
    assert one.uses == HostedUses(SEARCHES, are_told=True)
    told = [{**SEARCH, "max_uses": most} for most in (3, 1, 3)]
    assert one.body["tools"] == one.options["tools"] == [*told, TOOL]
    one.check_bounded(LIMITED)
    assert request(tools=[TOOL], bounds=bounds).uses == HostedUses(are_told=True)
    with pytest.raises(InvalidInput) as refused:
        request(made={"model_kwargs": {"tools": [SEARCH]}}, bounds=bounds)
    told = "tools: got 'in the model'; bind them to it: model.bind_tools([…])"
    assert str(refused.value) == told


@pytest.mark.parametrize(
    ("made", "is_shape", "is_forced"),
    [
        ({}, True, True),
        ({"thinking": {"type": "enabled", "budget_tokens": 1_024}}, True, False),
        ({"thinking": {"type": "adaptive"}}, True, False),
        ({"model": "claude-sonnet-5-5"}, True, False),
        ({"model": "claude-sonnet-5-5"}, False, True),
        ({"model": "our-model"}, True, True),
    ],
)
def test_the_shape_of_an_answer_is_forced_where_it_can_be(made, is_shape, is_forced):
    shape = {"ls_structured_output_format": {"schema": {}}} if is_shape else {}
    forced = {"tool_choice": {"type": "tool", "name": "f"}} if is_forced else {}
    options = AnthropicModel(claude(NOBODY, **made)).tool_options([TOOL], tool_choice="f", **shape)
    assert options == {"tools": [TOOL], **shape, **forced}


def test_the_input_is_bounded_by_the_bytes_of_all_that_is_read():
    said = [{"role": "user", "content": "vier Äpfel"}]
    assert request(HumanMessage("vier Äpfel")).input_tokens == size(messages=said)
    briefed = request(SystemMessage("Be brief."), HumanMessage("vier Äpfel"))
    assert briefed.input_tokens == size(messages=said, system="Be brief.")


def test_what_nobody_here_knows_is_input_and_what_no_model_reads_is_none():
    new = {"brief": "long " * 100}
    said = [{"role": "user", "content": "four"}]
    assert request(extra_body=new).input_tokens == size(messages=said, **new)
    known = {"metadata": {"user_id": "x" * 100}, "stop_sequences": ["y" * 100]}
    assert request(**known).input_tokens == size(messages=said)


def test_tools_and_schemas_have_room_for_what_the_vendor_adds():
    said = [{"role": "user", "content": "four"}]
    assert request(tools=[TOOL]).input_tokens == size(messages=said, tools=[TOOL]) + TOOLS_TOKENS
    shape = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    shaped = size(messages=said, output_config=shape) + TOOLS_TOKENS
    assert request(output_config=shape).input_tokens == shaped


def test_what_a_tool_was_called_with_is_text_whatever_it_looks_like():
    hidden = {"type": "image", "source": {"type": "base64", "data": "x" * 5_000}}
    call = AIMessage("", tool_calls=[{"name": "f", "args": hidden, "id": "toolu_1"}])
    one = request(HumanMessage("Go."), call, ToolMessage("Done.", tool_call_id="toolu_1"))
    assert one.input_tokens > 5_000
    one.check_bounded(LIMITED)


IMAGE = {"type": "base64", "media_type": "image/png", "data": "A" * 4_000}
PICTURE = {"type": "image", "source": IMAGE}
TEXT = {"type": "text", "text": "a. b. c."}
CITED = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": "a. b. c."},
    "citations": {"enabled": True},
}


FOUND = {"type": "search_result", "source": "x", "title": "y", "content": [TEXT]}


@pytest.mark.parametrize(
    "file", [PICTURE, CITED, FOUND, {"type": "image", "source": {"type": "url"}}]
)
@pytest.mark.parametrize("from_tool", [False, True])
def test_an_image_or_a_file_has_a_bound_where_one_was_given(file, from_tool):
    messages: list[Any] = [HumanMessage([file])]
    if from_tool:
        call = AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "toolu_1"}])
        messages = [HumanMessage("Go."), call, ToolMessage([file], tool_call_id="toolu_1")]
    with pytest.raises(InvalidInput, match=r"tokens_per_attachment=1_500") as refused:
        request(*messages).check_bounded(LIMITED)
    assert refused.value.value == "1 images or files"
    bounded = request(*messages, bounds=CallBounds(5_000, 1_000))
    bounded.check_bounded(LIMITED)
    assert 1_000 + TEMPLATE_TOKENS < bounded.input_tokens < 1_700


def test_the_text_of_what_is_cited_from_counts_beside_its_bound():
    source = {"type": "text", "media_type": "text/plain", "data": "a. " * 1_000}
    cited = request(HumanMessage([{**CITED, "source": source}]), bounds=CallBounds(5_000, 1_000))
    assert cited.input_tokens > 4_000


def test_a_document_that_is_text_is_bounded_by_it():
    document = {**CITED, "citations": None}
    one = request(HumanMessage([document]))
    one.check_bounded(LIMITED)
    assert one.input_tokens > len("a. b. c.") + TEMPLATE_TOKENS


LINKED = {"type": "image", "source": {"type": "url", "url": "https://x.invalid/a.png"}}
EMPTY = {**PICTURE, "source": {**IMAGE, "data": ""}}


@pytest.mark.parametrize(("file", "read"), [(LINKED, LINKED), (PICTURE, EMPTY)])
@pytest.mark.parametrize("bound", [None, 1_000])
def test_of_a_file_what_is_around_it_is_text(file, read, bound):
    one = request(HumanMessage([file]), bounds=CallBounds(5_000, bound))
    text = size(messages=[{"role": "user", "content": [read]}])
    assert one.input_tokens == text + (bound or 0)


REMOTE = "it is billed beyond the request"
RUNS = "runs at the provider, or adds what nobody counted"
UNBOUNDED = {
    f"mcp_servers: {REMOTE}": {
        "mcp_servers": [{"name": "x", "url": "https://x.invalid", "type": "url"}]
    },
    f"container: {REMOTE}": {"container": "container_1"},
    f"tools: 'web_search_20250305' {RUNS}": {
        "tools": [{"type": "web_search_20250305", "name": "web_search"}]
    },
    f"tools: 'bash_20250124' {RUNS}": {"tools": [{"type": "bash_20250124", "name": "bash"}]},
    "context_management: a summary is an answer that no cap holds": {
        "context_management": {"edits": [{"type": "compact_20260112"}]}
    },
    f"fallbacks: {REMOTE}": {"extra_body": {"fallbacks": [{"model": "claude-opus-5"}]}},
}


@pytest.mark.parametrize("told", UNBOUNDED)
@pytest.mark.parametrize("limits", [{"max_tokens": 10}, {"max_cost_usd": 1}])
def test_what_is_billed_beyond_the_request_is_refused(told, limits):
    one = request(**UNBOUNDED[told])
    with pytest.raises(InvalidInput) as refused:
        one.check_bounded(Budget(**limits))
    assert refused.value.value == told
    one.check_bounded(Budget(max_tool_calls=1))


def test_a_tool_of_ones_own_and_forgetting_are_bounded():
    request(tools=[TOOL, {**TOOL, "type": "custom"}]).check_bounded(LIMITED)
    edits = {"edits": [{"type": "clear_tool_uses_20250919"}]}
    request(context_management=edits).check_bounded(LIMITED)


@pytest.mark.parametrize(
    ("options", "tier"),
    [
        ({}, ""),
        ({"service_tier": "auto"}, ""),
        ({"service_tier": "standard_only"}, ""),
        ({"service_tier": "reserved"}, "reserved"),
        ({"inference_geo": "us"}, "us"),
        ({"inference_geo": "global"}, ""),
        ({"extra_body": {"speed": "fast"}}, "fast"),
        ({"extra_body": {"speed": "standard"}}, ""),
        ({"inference_geo": "us", "extra_body": {"speed": "fast"}}, "fast us"),
    ],
)
def test_whatever_makes_it_dearer_is_a_tier(options, tier):
    assert request(**options).tier == tier


def test_thought_needs_a_cap_above_its_budget():
    thinking = {"type": "enabled", "budget_tokens": 2_000}
    assert request(thinking=thinking).cap_min == 2_001
    assert request(thinking={"type": "adaptive"}).cap_min == 1
    with pytest.raises(InvalidInput, match="use 2,001") as refused:
        request(thinking=thinking, max_tokens=2_000)
    larger = "max_tokens has to be larger than thinking.budget_tokens"
    assert refused.value.remedy == f"use 2,001 or more; {larger}"


def test_the_same_question_has_the_same_digest_however_it_is_sent():
    one = request().digest
    same = [
        request(max_tokens=40),
        request(made={"max_tokens": 9}),
        request(stream=True, timeout=3, extra_headers={"a": "b"}, stream_usage=False),
    ]
    assert {other.digest for other in same} == {one}
    others = [request(HumanMessage("five")), request(stop_sequences=["x"]), request(tools=[TOOL])]
    assert len({one, *(other.digest for other in others)}) == 4


class Elsewhere(ChatAnthropic):
    """A model that is sent by a client of its own, as that of Bedrock is."""

    @property
    def _async_client(self) -> Any:
        raise AssertionError("nobody asks it")


class Named(ChatAnthropic):
    """A model that is made of it, and is sent as it."""


def test_it_takes_what_is_made_of_it_and_sent_as_it():
    given = {"model": "claude-haiku-4-5", "api_key": "k"}
    assert AnthropicModel.takes(ChatAnthropic(**given))
    assert AnthropicModel.takes(Named(**given))
    assert not AnthropicModel.takes(Elsewhere(**given))
    assert not AnthropicModel.takes(SimpleNamespace())


@pytest.mark.parametrize(
    ("ttl", "written"), [({}, (0, 7)), ({"ttl": "5m"}, (0, 7)), ({"ttl": "1h"}, (7, 0))]
)
def test_what_a_stream_has_written_to_a_cache_is_as_dear_as_what_was_asked(ttl, written):
    block = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", **ttl}}
    one = request(HumanMessage([block]))
    details: dict[str, int] = {"cache_creation": 7}
    counted = {"input_tokens": 9, "output_tokens": 1, "total_tokens": 10}
    message = AIMessage("Yes.", usage_metadata={**counted, "input_token_details": details})
    one.vendor.complete_usage(message, one.body)
    told: Any = message.usage_metadata
    kept = told["input_token_details"]
    assert (kept.get("ephemeral_1h_input_tokens", 0), kept["cache_creation"]) == written


NOTHING_IMPORTED = """
import sys
from thrifty.models.providers.vendors import is_metered_kind
assert not is_metered_kind(object())
vendors = {"anthropic", "langchain_anthropic", "langchain_openai", "openai"}
print(sorted(vendors & sys.modules.keys()))
"""


def test_no_library_of_a_vendor_is_imported_to_find_out_whose_a_model_is():
    told = subprocess.run(
        [sys.executable, "-c", NOTHING_IMPORTED], capture_output=True, text=True, check=True
    )
    assert told.stdout == "[]\n"


def test_a_proxy_of_the_models_own_is_gone_through():
    model = claude(NOBODY, anthropic_proxy="http://127.0.0.1:1")
    one = AnthropicModel(model).request([HumanMessage("four")], None, {}, CallBounds(50))
    plain = request()
    pools = one.connected._async_client._client, plain.connected._async_client._client
    assert pools[0] is not pools[1]
    assert pools[1] is request().connected._async_client._client

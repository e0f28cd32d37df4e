"""How a client of a vendor's is put on the connections of this process, and left as it was."""

import asyncio
from threading import get_ident
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage
from pydantic import Field

from tests.models.vendors import google, groq, mistral, ollama, openai, openrouter, xai
from tests.models.vendors.other import HouseModel
from thrifty import InvalidInput
from thrifty.models.providers.shared_client import shared_client
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_request import CallBounds
from thrifty.models.providers.vendors import vendor_model
from thrifty.models.wire import connection_pool

NOBODY: Any = SimpleNamespace(root_url="http://127.0.0.1:9", base_url="http://127.0.0.1:9/v1")


SEARCH = {"name": "look_up", "description": "Looks it up.", "parameters": {"type": "object"}}


def connected(given: Vendor, **options: Any) -> Any:
    return given.request([HumanMessage("four")], None, options, CallBounds(500)).connected


@pytest.mark.parametrize(("vendor", "library"), [(groq, "groq"), (openai, "openai")])
def test_a_client_is_made_anew_without_its_retries_on_connections_of_this_process(vendor, library):
    given = vendor_model(vendor.client(NOBODY, max_retries=5))
    given.load()
    used = connected(given)
    client = used.root_async_client if vendor is openai else used.async_client._client
    assert client.max_retries == 0
    assert client._client is connection_pool.connections(library)
    assert client._process_response.func is connection_pool.parse_beside
    (reads,) = client._process_response.args
    assert reads == type(client)._process_response.__get__(client)
    assert used.async_client._client is client
    assert given.given.async_client._client.max_retries == 5


@pytest.mark.parametrize(("vendor", "part"), [(openrouter, "chat"), (openai, "responses")])
def test_what_a_client_puts_off_is_imported_when_it_is_loaded(vendor, part):
    given = vendor_model(vendor.client(NOBODY))
    client = given.given.client if vendor is openrouter else given.given.root_async_client
    assert part not in vars(client)
    given.load()
    assert part in vars(client)


@pytest.mark.parametrize(("made", "counts"), [({}, True), ({"stream_usage": False}, False)])
def test_a_model_is_described_as_it_is_called(made, counts):
    given = vendor_model(openai.client(NOBODY, max_retries=5, streaming=True, **made))
    is_, was = given.described, given.given
    assert (is_.max_retries, is_.streaming, is_.stream_usage) == (0, False, counts)
    assert (was.max_retries, was.streaming) == (5, True)
    assert given.output_tokens_max == 16_384
    assert vendor_model(openai.client(NOBODY, model="own")).output_tokens_max is None
    bound = given.tool_options([SEARCH], tool_choice="look_up")
    assert [tool["function"]["name"] for tool in bound["tools"]] == ["look_up"]
    assert bound["tool_choice"] == {"type": "function", "function": {"name": "look_up"}}


def test_what_the_environment_says_of_openais_is_sent_to_openais_address_alone(monkeypatch):
    for variable in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(variable, "ours")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-gate: 1")
    mine = {"x-mine": "1"}

    def sent(model: Any, *, is_apart: bool = False) -> tuple[Any, ...]:
        given = vendor_model(model)
        given.is_apart = is_apart
        client = connected(given).root_async_client
        return client.organization, client.project, dict(client._custom_headers)

    ours = openai.client(NOBODY, default_headers=mine)
    assert sent(ours) == ("ours", "ours", {"x-gate": "1", **mine})
    assert sent(ours, is_apart=True) == (None, None, mine)
    assert sent(openai.client(NOBODY), is_apart=True) == (None, None, {})
    assert sent(xai.client(NOBODY, default_headers=mine)) == (None, None, mine)


def test_a_model_that_cannot_be_asked_at_all_is_refused():
    deployed = openai.client(NOBODY).model_copy(update={"root_async_client": None})
    with pytest.raises(InvalidInput) as refused:
        vendor_model(deployed)
    told = refused.value
    remedy = "let it build its own async client"
    assert (told.field, told.value, told.remedy) == ("model", "gpt-4o", remedy)
    gemini = google.client(NOBODY).model_copy(update={"vertexai": True})
    gemini._use_vertexai = True
    with pytest.raises(InvalidInput) as refused:
        vendor_model(gemini)
    told = refused.value
    remedy = "unset GOOGLE_GENAI_USE_VERTEXAI, or make the model with vertexai=True"
    assert (told.field, told.value, told.remedy) == ("model", "gemini-2.5-flash", remedy)


def test_a_deployment_of_azures_is_known_by_its_name_where_it_has_no_other():
    from langchain_openai import AzureChatOpenAI

    fleet = {"azure_endpoint": "https://fleet.openai.azure.com", "api_version": "v1"}
    deployed = AzureChatOpenAI(azure_deployment="o3-fleet", api_key="sk-1", **fleet)
    given = vendor_model(deployed)
    assert (given.name, given.thinking_of(deployed).effort) == ("o3-fleet", "medium")
    named = AzureChatOpenAI(azure_deployment="fleet", model="gpt-4o", api_key="sk-1", **fleet)
    assert vendor_model(named).name == "gpt-4o"
    nameless = vendor_model(AzureChatOpenAI(api_key="sk-1", **fleet))
    assert (nameless.name, nameless.thinking_of(nameless.given).effort) == ("", None)


def test_a_piece_keeps_its_count_in_the_servers_own_words():
    used = connected(vendor_model(openai.client(NOBODY)))
    told = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10, "cost": 0.1}
    piece = {"choices": [{"delta": {"content": "x", "role": "assistant"}}], "usage": told}
    made = used._convert_chunk_to_generation_chunk(piece, AIMessageChunk, None)
    assert made.message.response_metadata["token_usage"] == told
    del piece["usage"]
    made = used._convert_chunk_to_generation_chunk(piece, AIMessageChunk, None)
    assert "token_usage" not in made.message.response_metadata
    nothing = {"choices": [{"delta": None}], "usage": told}
    assert used._convert_chunk_to_generation_chunk(nothing, AIMessageChunk, None) is None


def test_openrouters_client_keeps_all_but_its_retries_and_its_connections():
    given = vendor_model(openrouter.client(NOBODY, default_headers={"x-mine": "1"}))
    used, own = connected(given).client.chat, given.given.client.chat
    assert type(used) is type(own)
    is_, was = vars(used.sdk_configuration), vars(own.sdk_configuration)
    changed = {name for name in was if is_[name] is not was[name]}
    assert changed == {"async_client", "retry_config"}
    assert is_["retry_config"] is None
    headers = {**was["async_client"].headers}
    del headers["accept-encoding"]
    pool = connection_pool.connections("httpx", "AsyncClient", headers=headers)
    assert is_["async_client"] is pool
    assert pool.headers["x-mine"] == "1"


async def noted(message: Any) -> None:
    """A hook."""


def test_a_client_of_httpx_keeps_all_but_its_connections():
    given = httpx.AsyncClient(
        base_url="https://g.invalid/v1",
        headers={"x-team": "7", "accept-encoding": "zstd"},
        auth=("ada", "lace"),
        params={"p": "1"},
        cookies={"c": "2"},
        timeout=7,
        follow_redirects=True,
        event_hooks={"request": [noted], "response": [noted]},
    )
    shared = shared_client(given)
    assert shared.headers == {**given.headers, "accept-encoding": "gzip, deflate"}
    assert given.headers["accept-encoding"] == "zstd"
    same = ("base_url", "auth", "params", "timeout", "follow_redirects", "event_hooks")
    assert [getattr(shared, name) for name in same] == [getattr(given, name) for name in same]
    assert dict(shared.cookies) == {"c": "2"}
    assert shared._transport._pool is connection_pool.connections("httpx", "AsyncClient")


EVENTS = "text/event-stream"


@pytest.mark.parametrize(
    ("accept", "content", "is_read"),
    [
        (EVENTS, "application/json", True),
        (EVENTS, f"{EVENTS}; charset=utf-8", False),
        (EVENTS, None, True),
        ("application/json", "application/json", False),
        (None, None, False),
    ],
)
def test_what_comes_in_the_place_of_events_is_read_at_once(accept, content, is_read):
    asked: list[Any] = []

    class Pool:
        async def send(self, request: Any, *, stream: bool) -> Any:
            asked.append((request, stream))
            body = httpx.ByteStream(b"{}")
            return httpx.Response(200, headers=content and {"content-type": content}, stream=body)

    transport = shared_client(httpx.AsyncClient())._transport
    transport._pool = Pool()
    headers = {} if accept is None else {"accept": accept}
    request = httpx.Request("POST", "https://g.invalid", headers=headers)
    response = asyncio.run(transport.handle_async_request(request))
    assert response.is_closed == is_read
    assert asked == [(request, True)]


@pytest.mark.parametrize("vendor", [mistral, ollama])
def test_a_client_of_httpxs_is_asked_on_shared_connections_where_it_has_none_of_its_own(vendor):
    given = vendor_model(vendor.client(NOBODY))
    used = connected(given)
    held = used._async_client._client if vendor is ollama else used.async_client
    own = given.given._async_client._client if vendor is ollama else given.given.async_client
    assert held is not own
    assert held.base_url == own.base_url
    assert held._transport._pool is connection_pool.connections("httpx", "AsyncClient")
    if vendor is ollama:
        assert used._async_client is not given.given._async_client
        assert type(used._async_client) is type(given.given._async_client)


class Bare(httpx.AsyncBaseTransport):
    """A transport with a pool of its own kind."""

    _pool = object()


@pytest.mark.parametrize("transport", [Bare(), httpx.MockTransport(httpx.Response)])
def test_any_transport_of_ones_own_is_kept(transport):
    own = httpx.AsyncClient(base_url="http://127.0.0.1:9", transport=transport)
    given = vendor_model(mistral.client(NOBODY, async_client=own))
    assert not given.is_watched
    assert connected(given).async_client is own


class Chatty(HouseModel):
    """A class with an argument for the rest."""

    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    max_new_tokens: int | None = None


def test_a_class_that_nobody_has_measured_is_asked_by_a_copy_with_the_cap():
    made = Chatty(
        model="m",
        base_url="http://127.0.0.1:9",
        max_tokens=90,
        max_new_tokens=80,
        model_kwargs={"a": 1, "max_tokens": 70},
    )
    given = vendor_model(made)
    one = given.request([HumanMessage("four")], None, {}, CallBounds(500))
    assert one.cap_wanted == 70
    used = one.connected
    assert (used.max_tokens, used.max_new_tokens, used.model_kwargs) == (None, None, {"a": 1})
    capped = given.capped_model(one, 40)
    assert (capped.max_tokens, capped.max_new_tokens, capped.model_kwargs) == (40, 40, {"a": 1})
    assert given.cap_options(one, 40) == {}
    assert given.own_cap(made) == 80
    assert (made.max_tokens, made.model_kwargs) == (90, {"a": 1, "max_tokens": 70})
    assert (given.streams, given.is_watched) == (False, False)
    assert given.address == f"{__name__}.Chatty"
    assert type(given).list_request("https://g.invalid", "k") is None
    assert given.listed_as == "x-ai"


def test_of_other_vendors_a_model_is_asked_as_it_is_connected():
    given = vendor_model(groq.client(NOBODY))
    one = given.request([HumanMessage("four")], None, {}, CallBounds(500))
    assert given.capped_model(one, 40) is one.connected
    assert given.streams


@pytest.mark.parametrize(("size", "is_beside"), [(100, False), (100_000, True)])
def test_a_large_answer_is_parsed_beside_the_loop(monkeypatch, size, is_beside):
    parsed_in: list[int] = []
    real = httpx.Response.json

    def parse(self, **options):
        parsed_in.append(get_ident())
        return real(self, **options)

    async def answer(_self, request):
        return httpx.Response(200, json={"text": "a" * size}, request=request)

    async def ask():
        client = shared_client(httpx.AsyncClient())
        monkeypatch.setattr(type(client._transport), "handle_async_request", answer)
        return (await client.post("http://127.0.0.1:9/")).json()

    monkeypatch.setattr(httpx.Response, "json", parse)
    assert asyncio.run(ask()) == {"text": "a" * size}
    (where,) = parsed_in
    assert (where != get_ident()) == is_beside


@pytest.mark.parametrize("text", ["<html>" * 20_000, "[" * 100_000])
def test_a_large_answer_that_is_no_json_is_refused_when_it_is_asked(text):
    async def answer(_self, request):
        return httpx.Response(200, text=text, request=request)

    async def ask():
        client = shared_client(httpx.AsyncClient())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(client._transport), "handle_async_request", answer)
            response = await client.post("http://127.0.0.1:9/")
        response.json()

    with pytest.raises((ValueError, RecursionError)):
        asyncio.run(ask())

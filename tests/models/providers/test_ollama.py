"""A request to Ollama alone: what it asks, how large it is, and what it costs."""

from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_ollama import ChatOllama

from thrifty import Budget, InvalidInput, TokenPrice
from thrifty.models.costs.input_bound import MESSAGE_OVERHEAD_TOKENS, TEMPLATE_TOKENS, TOOLS_TOKENS
from thrifty.models.providers.ollama import OllamaModel
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.roles.model_roles import ModelRoles
from thrifty.settings import Settings

BOUNDS = CallBounds(5_000)
FOUR = len("four") + MESSAGE_OVERHEAD_TOKENS + TEMPLATE_TOKENS
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def request(
    *messages: Any, made: Any = None, bounds: CallBounds = BOUNDS, **options: Any
) -> VendorRequest:
    model = ChatOllama(**{"model": "qwen3", "base_url": "http://127.0.0.1:9", **(made or {})})
    given = [*messages] or [HumanMessage("four")]
    return OllamaModel(model).request(given, None, options, bounds)


def test_it_knows_whom_it_asks():
    one = request()
    assert (one.model, one.provider, one.listed_as) == ("qwen3", "ollama", "ollama")
    assert (one.vendor.address, one.cap_wanted, one.cap_min) == ("http://127.0.0.1:9", None, 1)
    assert (one.tier, one.is_watched) == ("", True)


def test_the_input_is_bounded_by_bytes_and_room_for_a_template():
    assert request().input_tokens == FOUR
    schema = '{"function":{"name":"f","parameters":{"type":"object"}},"type":"function"}'
    with_tool = FOUR + len(schema) + MESSAGE_OVERHEAD_TOKENS + TOOLS_TOKENS
    assert request(tools=[TOOL]).input_tokens == with_tool
    shape = {"type": "object"}
    assert request(format=shape).input_tokens == FOUR + 17 + MESSAGE_OVERHEAD_TOKENS


def test_thought_and_calls_are_read_when_they_are_sent_back():
    call = {"name": "f", "args": {"x": "y" * 300}, "id": "call_1"}
    thought = AIMessage("", tool_calls=[call], additional_kwargs={"reasoning_content": "z" * 200})
    assert request(HumanMessage("Go."), thought).input_tokens > 500 + TEMPLATE_TOKENS


def test_a_picture_is_one_and_not_its_letters():
    data = "A" * 4_000
    picture = HumanMessage([{"type": "image_url", "image_url": f"data:image/png;base64,{data}"}])
    unbounded = request(picture)
    assert unbounded.input_tokens == MESSAGE_OVERHEAD_TOKENS + TEMPLATE_TOKENS
    with pytest.raises(InvalidInput, match="tokens_per_attachment"):
        unbounded.check_bounded(Budget(max_tokens=10))
    bounded = request(picture, bounds=CallBounds(5_000, 700))
    bounded.check_bounded(Budget(max_tokens=10))
    assert bounded.input_tokens == 700 + MESSAGE_OVERHEAD_TOKENS + TEMPLATE_TOKENS


def test_its_cap_is_among_the_options_and_takes_none_of_them_away():
    one = request(made={"temperature": 0.1, "num_ctx": 2_048, "num_predict": 9, "stop": ["x"]})
    kept = {"temperature": 0.1, "num_ctx": 2_048, "stop": ["x"]}
    assert one.body["options"] == kept
    assert one.connected.num_predict is None
    assert one.vendor.cap_options(one, 40) == {"options": {**kept, "num_predict": 40}}
    own = request(options={"seed": 7, "num_predict": 50})
    assert own.vendor.cap_options(own, 40) == {"options": {"seed": 7, "num_predict": 40}}
    assert (one.cap_wanted, own.cap_wanted) == (9, 50)


@pytest.mark.parametrize("endless", [-1, -2])
def test_less_than_none_is_no_cap(endless):
    assert request(made={"num_predict": endless}).cap_wanted is None
    assert request(options={"num_predict": endless}).cap_wanted is None
    with pytest.raises(InvalidInput, match="max_tokens: got 0; use a whole number from 1"):
        request(made={"num_predict": 0})


def test_the_same_question_has_the_same_digest_however_it_is_sent():
    one = request().digest
    same = [request(max_tokens=40), request(options={"num_predict": 9}), request(keep_alive=5)]
    assert {other.digest for other in same} == {one}
    others = [request(HumanMessage("five")), request(options={"seed": 7}), request(reasoning=True)]
    assert len({one, *(other.digest for other in others)}) == 4


@pytest.mark.parametrize("setting", ["transport", "proxy", "verify", "limits"])
def test_a_client_with_connections_of_its_own_is_kept(setting):
    values: Any = {
        "transport": httpx.MockTransport(lambda asked: httpx.Response(200)),
        "proxy": "http://127.0.0.1:1",
        "verify": False,
        "limits": httpx.Limits(),
    }
    one = request(made={"async_client_kwargs": {setting: values[setting]}})
    assert not one.is_watched
    assert request(made={"client_kwargs": {setting: values[setting]}}).is_watched is False
    assert one.connected._async_client is one.vendor.described._async_client


def test_headers_and_time_limits_of_a_client_go_along():
    given = {"client_kwargs": {"headers": {"X-Team": "tea"}, "timeout": 7}}
    one = request(made=given)
    used = one.connected._async_client._client
    assert (used.headers["X-Team"], used.timeout.read) == ("tea", 7)
    assert used.headers["accept-encoding"] == "gzip, deflate"
    assert used._transport._pool is request().connected._async_client._client._transport._pool


FREE = TokenPrice(0, 0)


@pytest.mark.parametrize(
    ("model", "address", "price"),
    [
        ("qwen3", "http://127.0.0.1:11434", FREE),
        ("qwen3:8b", "http://localhost:11434", FREE),
        ("qwen3", "http://[::1]:11434", FREE),
        ("qwen3", "http://192.168.1.7:11434", None),
        ("qwen3", "https://ollama.com", None),
        ("gpt-oss:120b-cloud", "http://127.0.0.1:11434", None),
        ("deepseek-v3.1:cloud", "http://localhost:11434", None),
    ],
)
def test_what_runs_on_this_machine_costs_nothing(model, address, price):
    assert OllamaModel.own_price(model, address) == price


def test_a_role_is_asked_at_this_machine_and_sends_no_key_of_the_environments(monkeypatch):
    monkeypatch.setenv("OLLAMA_API_KEY", "key-of-the-cloud")
    (role,) = ModelRoles(Settings(models={"local": "ollama:qwen3"}))
    made = OllamaModel.of_role(role)
    assert made.address.rstrip("/") == "http://127.0.0.1:11434"
    assert made.given._async_client._client.headers["authorization"] == "Bearer none"
    assert role.prices.quote("qwen3", 1_000, 1_000) == 0


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000"),
        (":9000", "http://127.0.0.1:9000"),
        ("shed.lan", "http://shed.lan:11434"),
        ("[::1]:9000", "http://[::1]:9000"),
        ("https://ollama.com", "https://ollama.com"),
    ],
)
def test_the_variable_may_say_where_it_listens_in_fewer_words(monkeypatch, told, address):
    monkeypatch.setenv("OLLAMA_HOST", told)
    assert OllamaModel.usual_server(Settings()).address == address

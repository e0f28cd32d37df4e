"""How answers and failures are read: usage that is no usage, errors and what they mean."""

import asyncio
import time
from threading import active_count

import pytest
from langchain_core.messages import AIMessage

from thrifty import InvalidInput, Settings, TokenPrice
from thrifty.models.background_loop import BackgroundLoop
from thrifty.models.chat_clients import reasoning_effort
from thrifty.models.failures import _retry_after_ms
from thrifty.models.usage import Usage, read_usage


def message(tokens_in: object, tokens_out: object, **details: object) -> AIMessage:
    answer = AIMessage("text")
    usage = {"input_tokens": tokens_in, "output_tokens": tokens_out, "input_token_details": details}
    object.__setattr__(answer, "usage_metadata", usage)
    return answer


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (message(10, 5), Usage(10, 5)),
        (message(10, 5, cache_read=4), Usage(10, 5, 4)),
        (message(10, 5, flex_cache_read=4), Usage(10, 5, 4)),
        (message(10, 5, cache_read=40), Usage(10, 5, 10)),
        (message(10, 0), None),
        (message(0, 5), None),
        (message(-1, 5), None),
        (message(10, -5), None),
        (message(10, 5.0), None),
        (message(True, 5), None),
        (message(None, 5), None),
        (message(10, 5, cache_read=-1), None),
        (AIMessage("text"), None),
    ],
)
def test_usage_is_a_count_or_nothing(given, read):
    assert read_usage(given) == read


@pytest.mark.parametrize(
    ("headers", "wait_ms"),
    [
        ({"retry-after": "2"}, 2000),
        ({"retry-after-ms": "30", "retry-after": "2"}, 30),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 500),
        ({"retry-after": "1e999"}, 500),
        ({"retry-after": "nan"}, 500),
        ({}, 500),
    ],
)
def test_a_retry_after_is_read_or_a_short_wait_taken(headers, wait_ms):
    assert _retry_after_ms(headers) == wait_ms


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("gpt-5", "auto", "low"),
        ("o4-mini", "auto", "low"),
        ("gpt-4o", "auto", None),
        ("llama3", "auto", None),
        ("llama3", "high", "high"),
        ("gpt-5", "none", "none"),
    ],
)
def test_effort_is_sent_where_it_means_something(model, effort, sent):
    assert reasoning_effort(model, effort) == sent


def test_a_call_is_given_up_at_its_deadline_even_if_it_swallows_its_cancellation():
    ended = []

    async def stubborn():
        for _ in range(3):
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                ended.append("swallowed")
        ended.append("ended")

    loop = BackgroundLoop()
    with pytest.raises(TimeoutError):  # and not after three hours
        loop.run(lambda left: loop.await_call(stubborn(), time.monotonic_ns() + 200_000_000, left))
    wait_until(lambda: "ended" in ended)
    assert ended == ["swallowed"] * 3 + ["ended"]


def test_results_and_errors_come_back_and_no_thread_is_added():
    async def answer():
        return 5

    async def fail():
        raise LookupError("none")

    loop = BackgroundLoop()
    threads = active_count()
    assert loop.run(lambda left: loop.await_call(answer(), None, left)) == 5
    with pytest.raises(LookupError):
        loop.run(lambda left: loop.await_call(fail(), None, left))
    assert active_count() == threads


def wait_until(holds) -> None:
    give_up_at = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def test_settings_come_from_the_environment():
    assert Settings.from_environment({}).is_offline
    openai = Settings.from_environment({"OPENAI_API_KEY": "sk-1"})
    assert (openai.api, openai.is_offline) == ("responses", False)
    own = Settings.from_environment(
        {
            "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
            "THRIFTY_CAP": "max_tokens",
            "THRIFTY_PRICES": '{"llama3": {"input": 0, "output": 0.5}}',
        }
    )
    assert (own.api, own.cap_field) == ("chat", "max_tokens")
    assert own.prices == {"llama3": TokenPrice(0, own.prices["llama3"].output_usd)}
    assert "sk-1" not in repr(openai)


@pytest.mark.parametrize(
    ("environ", "field"),
    [
        ({"OPENAI_BASE_URL": "file:///etc/passwd"}, "base_url"),
        ({"THRIFTY_API": "grpc"}, "api"),
        ({"THRIFTY_CAP": "max_words"}, "cap_field"),
        ({"THRIFTY_CAP": "max_tokens"}, "cap_field"),
        ({"THRIFTY_PRICES": "{"}, "THRIFTY_PRICES"),
        ({"THRIFTY_PRICES": "[]"}, "THRIFTY_PRICES"),
        ({"THRIFTY_PRICES": '{"m": {"input": -1, "output": 0}}'}, "THRIFTY_PRICES.m.input"),
        ({"THRIFTY_PRICES": '{"m": {"input": NaN, "output": 0}}'}, "THRIFTY_PRICES.m.input"),
        ({"THRIFTY_PRICES": '{"m": {"in": 1}}'}, "THRIFTY_PRICES.m.in"),
        ({"THRIFTY_PRICES": "[" * 100_000}, "THRIFTY_PRICES"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(environ, field):
    with pytest.raises(InvalidInput) as refused:
        Settings.from_environment(environ)
    assert refused.value.field == field

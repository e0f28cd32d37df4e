"""What is read of a provider's count: kinds of tokens, tiers, and what no list has a price for."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from thrifty.models.costs.usage import COUNT_MAX, Usage, read_token_usage, read_usage


def reply(
    tokens_in: Any = 10,
    tokens_out: Any = 5,
    details_in: Any = None,
    details_out: Any = None,
    content: Any = "text",
    tool_calls: Any = (),
    **metadata: Any,
) -> Any:
    usage = {"input_tokens": tokens_in, "output_tokens": tokens_out}
    usage |= {"input_token_details": details_in, "output_token_details": details_out}
    return SimpleNamespace(
        content=content, tool_calls=tool_calls, response_metadata=metadata, usage_metadata=usage
    )


@pytest.mark.parametrize(
    ("details", "read"),
    [
        ({"cache_read": 4, "cache_creation": 3}, (4, 3)),
        ({"cache_creation": 3}, (0, 3)),
        ({"cache_read": 8, "cache_creation": 9}, (8, 2)),
        ({"cache_read": 10, "cache_creation": 1}, (10, 0)),
        ({"priority_cache_read": 4, "priority_cache_creation": 3}, (4, 3)),
        ({"reasoning": 4}, (0, 0)),
        ({"cache_creation": 0, "ephemeral_5m_input_tokens": 3}, (0, 3)),
        ({"cache_creation": 5, "ephemeral_5m_input_tokens": 3}, (0, 5)),
        ({"cache_creation": 4, "ephemeral_1h_input_tokens": 5}, (0, 5)),
    ],
)
def test_what_was_cached_is_a_part_of_the_input(details, read):
    usage = read_usage(reply(details_in=details))
    assert (usage.input_tokens, usage.output_tokens) == (10, 5)
    assert (usage.cached_tokens, usage.written_tokens) == read


@pytest.mark.parametrize("wrong", [-1, 1.0, True, None, "1"])
@pytest.mark.parametrize("kind", ["cache_read", "cache_creation"])
def test_a_count_that_is_none_makes_all_of_it_none(kind, wrong):
    assert read_usage(reply(details_in={kind: wrong})) is None
    assert read_usage(reply(details_in={kind: 0})) == Usage(10, 5)


@pytest.mark.parametrize(
    ("details", "metadata", "tier"),
    [
        ({}, {}, ""),
        ({"flex": 3}, {}, "flex"),
        ({"priority": 3}, {}, "priority"),
        ({"flex": 3}, {"service_tier": "default"}, "default"),
        ({}, {"service_tier": "priority"}, "priority"),
        ({}, {"service_tier": None}, ""),
    ],
)
def test_the_tier_is_what_the_reply_says_or_its_details_are_named_after(details, metadata, tier):
    assert read_usage(reply(details_in=details, **metadata)).tier == tier
    assert read_usage(reply(details_out=details, **metadata)).tier == tier


@pytest.mark.parametrize(
    ("details", "unpriced"),
    [
        ({"video": 3, "text": 1}, ("text", "video")),
        ({"video": 0}, ()),
        ({"audio": 3}, ()),
        ({"reasoning": 3, "flex": 1, "flex_reasoning": 2, "priority_cache_read": 1}, ()),
        ({"flex_audio": 3}, ()),
        ({"flex_video": 3}, ("flex_video",)),
        ({"flex_": 3, "other_reasoning": 1}, ("flex_", "other_reasoning")),
    ],
)
def test_kinds_without_a_price_are_told(details, unpriced):
    assert read_usage(reply(details_in=details)).unpriced == unpriced
    assert read_usage(reply(details_out=details)).unpriced == unpriced


@pytest.mark.parametrize(
    ("details_in", "details_out", "read"),
    [
        ({"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}, {}, (0, 7, 4, 0, 0)),
        ({"ephemeral_1h_input_tokens": 40}, {}, (0, 10, 10, 0, 0)),
        ({"audio": 4, "cache_read": 9}, {"audio": 3}, (6, 0, 0, 4, 3)),
        ({"audio": 40}, {"audio": 30}, (0, 0, 0, 10, 5)),
        ({"audio": 4, "cache_read": 1, "cache_creation": 9}, {}, (1, 5, 0, 4, 0)),
        ({"flex_audio": 4}, {"flex_audio": 3}, (0, 0, 0, 4, 3)),
    ],
)
def test_the_kinds_that_have_prices_of_their_own_are_told_apart(details_in, details_out, read):
    usage = read_usage(reply(details_in=details_in, details_out=details_out))
    parts = usage.cached_tokens, usage.written_tokens, usage.written_1h_tokens
    assert (*parts, usage.audio_input_tokens, usage.audio_output_tokens) == read
    assert usage.plain_input_tokens == 10 - read[0] - read[1] - read[3]


@pytest.mark.parametrize("wrong", [-1, 1.0, True])
@pytest.mark.parametrize("side", ["details_in", "details_out"])
def test_a_count_of_sound_that_is_none_makes_all_of_it_none(side, wrong):
    assert read_usage(reply(**{side: {"audio": wrong}})) is None


@pytest.mark.parametrize(
    ("metadata", "model"),
    [
        ({"model_name": "gpt-4o"}, "gpt-4o"),
        ({"model": "llama3"}, "llama3"),
        ({"model_name": "", "model": "llama3"}, "llama3"),
        ({"model_name": 5}, ""),
        ({"model_name": "a\x1b[31m  b"}, "a[31m b"),
        ({"model_name": "gpt-4ogpt-4ogpt-4o"}, "gpt-4o"),
        ({"model_name": "n" + "m" * 300}, "n" + "m" * 199),
        ({}, ""),
    ],
)
def test_who_answered_is_read_once(metadata, model):
    assert read_usage(reply(**metadata)).model == model


def test_no_output_is_possible_where_nothing_was_answered():
    assert read_usage(reply(tokens_out=0, content="")) == Usage(10, 0)
    empty = {"type": "text", "text": "", "annotations": []}  # as the Responses API sends it
    assert read_usage(reply(tokens_out=0, content=[empty])) == Usage(10, 0)
    assert read_usage(reply(tokens_out=0, content=[empty, {**empty, "text": "Yes."}])) is None
    assert read_usage(reply(tokens_out=0, content=[{"type": "refusal"}])) is None
    assert read_usage(reply(tokens_out=0)) is None
    assert read_usage(reply(tokens_out=0, content="", tool_calls=[{"name": "f"}])) is None
    assert read_usage(reply(tokens_in=0, content="")) is None
    assert read_usage(reply(1, 1)) == Usage(1, 1)


@pytest.mark.parametrize(
    ("total", "output"),
    [(15, 5), (16, 6), (4_015, 4_005), (14, 5), (0, 5), (None, 5), (-1, 5), ("99", 5)],
)
def test_what_a_total_has_beyond_its_parts_is_output(total, output):
    given = reply()
    given.usage_metadata["total_tokens"] = total
    assert read_usage(given) == Usage(10, output)
    counted = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": total}
    assert read_token_usage(counted) == Usage(10, output)


def test_no_count_is_beyond_any_call():
    assert read_usage(reply(COUNT_MAX, 1)) == Usage(COUNT_MAX, 1)
    assert read_usage(reply(10, COUNT_MAX)) == Usage(10, COUNT_MAX)
    assert read_usage(reply(COUNT_MAX + 1, 1)) is None
    assert read_usage(reply(10, COUNT_MAX + 1)) is None
    assert COUNT_MAX == 1_000_000_000


@pytest.mark.parametrize(
    ("counted", "usage"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 0}, Usage(10, 0)),
        ({"prompt_tokens": 1, "completion_tokens": 5}, Usage(1, 5)),
        ({"prompt_tokens": 0, "completion_tokens": 5}, None),
        ({"prompt_tokens": 10}, None),
        ({"completion_tokens": 5}, None),
        ({}, None),
    ],
)
def test_a_count_in_openais_own_words(counted, usage):
    assert read_token_usage(counted) == usage
    assert read_token_usage({**counted, "prompt_tokens_details": None}) == usage
    cached = {**counted, "prompt_tokens_details": {"cached_tokens": 4}}
    expected = usage and replace(usage, cached_tokens=min(4, usage.input_tokens))
    assert read_token_usage(cached) == expected
    assert read_token_usage({**counted, "prompt_tokens_details": {"cached_tokens": None}}) == usage
    if usage:
        kinds = {"cached_tokens": 1, "cache_write_tokens": 2, "audio_tokens": 3}
        told = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": kinds}
        told["completion_tokens_details"] = {"audio_tokens": 4}
        read = Usage(10, 5, 1, 2, audio_input_tokens=3, audio_output_tokens=4)
        assert read_token_usage(told) == read
        assert read_token_usage({**told, "prompt_tokens_details": {"audio_tokens": -1}}) is None


def test_where_no_usage_came_there_is_none():
    assert read_usage(SimpleNamespace()) is None
    assert read_usage(SimpleNamespace(usage_metadata=None)) is None
    assert read_usage(SimpleNamespace(usage_metadata={"input_tokens": 1})) is None


def test_what_a_gateway_says_that_it_has_cost_is_read_with_it():
    assert read_usage(reply(token_usage={"cost": 0.1})) == Usage(
        10, 5, reported_nano_usd=100_000_000
    )
    counted = {"prompt_tokens": 10, "completion_tokens": 5, "cost": 0.1}
    assert read_token_usage(counted) == Usage(10, 5, reported_nano_usd=100_000_000)


def test_input_and_output_are_what_a_limit_on_tokens_limits():
    assert Usage(10, 5, cached_tokens=4, written_tokens=1).tokens == 15


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

"""A server's words are harmless and short, and hold no key."""

from types import SimpleNamespace

import pytest

from thrifty.models.failures.server_words import REDACTED, plain_words, sent_secrets

KEY = "a-Deployments.own/Key-of-2026"


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefgh",
        "sk-ab***yz",
        "gsk_1a2b3c4d",
        "AIzaSyA1b2C3d4E5",
        "AKIAIOSFODNN7EXAMPLE",
        "Bearer abc.def.ghi",
        "eyJhbGciOi.eyJzdWIi.abc-def",
        "0123456789abcdef0123456789abcdef",
        KEY,
        KEY.upper(),
        KEY[3:14],
    ],
)
def test_what_looks_like_a_key_is_left_out(secret):
    told = plain_words(f"Incorrect API key provided: {secret} (see the docs)", [KEY])
    assert told.startswith("Incorrect API key provided: ")
    assert REDACTED in told
    assert secret not in told
    assert told.endswith("(see the docs)")


@pytest.mark.parametrize(
    "words",
    [
        "The model `gpt-4o-mini-2024-07-18` does not exist.",
        "Unsupported parameter: 'max_completion_tokens' is not supported with this model.",
        "Request req-550e8400-e29b-41d4-a716-446655440000 failed in asia-northeast1-b.",
        "Maximum context length is 8192 tokens, however you requested 9000000 tokens.",
    ],
)
def test_what_is_no_key_stays(words):
    assert plain_words(words, [KEY]) == words


def test_a_short_key_is_left_out_where_it_stands_alone():
    assert plain_words("no such key: abc", ["abc"]) == f"no such key: {REDACTED}"
    assert plain_words("abcde is no key", ["abc"]) == "abcde is no key"


def test_letters_that_grow_when_folded_hide_no_key():
    assert KEY not in plain_words(f"İİİ {KEY}", [KEY])
    assert plain_words("İstanbul", [KEY]) == "İstanbul"


def test_words_are_one_harmless_line_that_ends_no_quote():
    assert plain_words('a\x1b[31m\r\nb\u202e "c" [/]\ud800') == "a[31m b 'c' [/]\ufffd"


def test_words_are_short_and_a_key_is_left_out_before_they_are_cut():
    assert len(plain_words("word " * 100_000)) == 300
    assert KEY[:8] not in plain_words("x" * 290 + " " + KEY, [KEY])


def test_what_was_sent_in_headers_and_query_is_a_secret():
    headers = {"Authorization": f"Bearer {KEY}", "api-key": "k2", "X-Stainless-OS": "Linux"}
    headers |= {"Content-Type": "application/json", "User-Agent": "someone"}
    request = SimpleNamespace(headers=headers, url=SimpleNamespace(params={"key": "k3"}))
    assert sent_secrets(request) == (KEY, "k2", "k3")
    assert sent_secrets(SimpleNamespace(headers={"authorization": "Bearer none"})) == ()
    assert sent_secrets(None) == ()

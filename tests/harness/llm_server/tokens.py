"""Exact o200k token counts, cuts and chunks, offline, and cl100k's for embeddings."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from rs_bpe import openai as vocabularies


@dataclass(frozen=True)
class Cut:
    """The beginning of a text that fits a number of tokens."""

    text: str
    tokens: int
    """Tokens generated; a character split by the cut is paid for and not shown."""
    whole: bool
    """Nothing had to be left out."""


def count(text: str) -> int:
    """How many tokens the text has."""
    return len(_encode(text))


def cl100k(text: str) -> list[int]:
    """The text in the tokens of OpenAI's older models, and of their embeddings."""
    encoded: list[int] = _older().encode(text.encode("utf-8", "replace").decode())
    return encoded


def text_of_cl100k(encoded: list[int]) -> str:
    """The text that such tokens stand for; empty where they end within a letter."""
    return _older().decode(encoded) or ""


def cut(text: str, tokens_max: int | None) -> Cut:
    """The beginning of `text` of at most `tokens_max` tokens; None is no limit."""
    tokens = count(text)
    if tokens_max is None or tokens <= tokens_max:
        return Cut(text, tokens, whole=True)
    kept, used = 0, 0
    for characters, spent in _characters(text):
        if used + spent > tokens_max:
            break
        kept, used = kept + characters, used + spent
    return Cut(text[:kept], tokens_max, whole=False)


def chunks(text: str, chunk_tokens: int) -> Iterator[str]:
    """The text in order, in pieces of about `chunk_tokens` tokens, never splitting a character."""
    start, end, used = 0, 0, 0
    for characters, spent in _characters(text):
        end, used = end + characters, used + spent
        if used >= chunk_tokens:
            yield text[start:end]
            start, used = end, 0
    if start < end:
        yield text[start:end]


def _characters(text: str) -> Iterator[tuple[int, int]]:
    """Pairs of (characters, tokens): the smallest steps that end on a whole character."""
    waiting: list[int] = []
    for token in _encode(text):
        waiting.append(token)
        decoded = _tokenizer().decode(waiting)
        if decoded is not None:
            yield len(decoded), len(waiting)
            waiting = []


def _encode(text: str) -> list[int]:
    # A lone surrogate has no bytes. One character stands in for one, so that lengths agree.
    sendable = text.encode("utf-8", "replace").decode()
    encoded: list[int] = _tokenizer().encode(sendable)
    return encoded


@cache
def _tokenizer() -> Any:
    return vocabularies.o200k_base()


@cache
def _older() -> Any:
    return vocabularies.cl100k_base()

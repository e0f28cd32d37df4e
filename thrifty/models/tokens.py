"""How many tokens a text can be, at most, before a provider has counted it.

Where a model's encoding is known the count is exact, with an encoder that is offline. Where
it is not, UTF-8 bytes bound it: byte-level byte-pair encodings never split below a byte.
"""

from collections.abc import Callable
from functools import cache

O200K_MODELS = ("gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "o1", "o3", "o4", "chatgpt-4o")
CL100K_MODELS = ("gpt-4", "gpt-3.5")

MESSAGE_OVERHEAD_TOKENS = 16
"""Room for what a chat format adds around a message; observed: 3 to 8 tokens."""


def tokens_bound(text: str, model: str) -> int:
    """The most tokens that `text` can be for `model`."""
    return _counter(model)(text)


def is_exact(model: str) -> bool:
    """Whether a model's encoding is known, so that counts are no mere bounds."""
    return _counter(model) is not utf8_bytes


@cache
def _counter(model: str) -> Callable[[str], int]:
    from rs_bpe.bpe import openai  # 50 ms to load: only when a model is really asked

    if model.startswith(O200K_MODELS):
        return _exact(openai.o200k_base().count)
    if model.startswith(CL100K_MODELS):
        return _exact(openai.cl100k_base().count)
    return utf8_bytes


def _exact(count: Callable[[str], int]) -> Callable[[str], int]:
    # A lone surrogate has no UTF-8 form: what is sent in its place is what must be counted.
    return lambda text: count(text.encode("utf-8", "replace").decode("utf-8"))


def utf8_bytes(text: str) -> int:
    """The length of a text in UTF-8 bytes; a lone surrogate counts as the three it would take."""
    return len(text.encode("utf-8", "surrogatepass"))

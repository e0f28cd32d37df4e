"""LangChain's cache, without answers that only what was left of a budget has made so short.

A later call may have more left, and would be given half an answer for ever.
"""

from collections.abc import Sequence
from typing import Any

from langchain_core.caches import BaseCache
from langchain_core.globals import get_llm_cache

DERIVED_CAP = "derived_cap"
"""Where a message says the output cap at which it may have been cut, if what was left set it."""


class WholeAnswers(BaseCache):
    """A cache that is asked as ever, and given whole answers alone."""

    def __init__(self, cache: BaseCache) -> None:
        self._cache = cache

    def lookup(self, prompt: str, llm_string: str) -> Any:
        """What the cache has."""
        return self._cache.lookup(prompt, llm_string)

    def update(self, prompt: str, llm_string: str, return_val: Sequence[Any]) -> None:
        """Keeps an answer, if it is whole."""
        if _are_whole(return_val):
            self._cache.update(prompt, llm_string, return_val)

    async def alookup(self, prompt: str, llm_string: str) -> Any:
        """What the cache has."""
        return await self._cache.alookup(prompt, llm_string)

    async def aupdate(self, prompt: str, llm_string: str, return_val: Sequence[Any]) -> None:
        """Keeps an answer, if it is whole."""
        if _are_whole(return_val):
            await self._cache.aupdate(prompt, llm_string, return_val)

    def clear(self, **kwargs: Any) -> None:
        """Clears the cache."""
        self._cache.clear(**kwargs)


def cache_in_use(given: BaseCache | bool | None) -> BaseCache | None:
    """The cache of a model, by its field `cache`; None where it uses none."""
    if isinstance(given, BaseCache):
        return given
    return None if given is False else get_llm_cache()


def _are_whole(generations: Sequence[Any]) -> bool:
    return not any(DERIVED_CAP in each.message.response_metadata for each in generations)

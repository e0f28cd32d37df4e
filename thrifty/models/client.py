"""The chat model itself: the only place that builds one of langchain-openai's."""

from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from thrifty.settings import Settings

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

REASONING_MODELS = ("gpt-5", "o1", "o3", "o4")
EFFORT_DEFAULT = "low"


class ChatClients:
    """Chat models by name and effort, each built once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.get = lru_cache(maxsize=64)(self._build)

    def _build(self, model: str, effort: str) -> "ChatOpenAI":
        from langchain_openai import ChatOpenAI  # 2 to 3 s: only when a model is really asked

        given: dict[str, Any] = {}
        if reasoning := reasoning_effort(model, effort):
            given["reasoning_effort"] = reasoning
        if self._settings.base_url:
            given["base_url"] = self._settings.base_url
        return ChatOpenAI(
            model=model,
            api_key=SecretStr(self._settings.api_key or "none"),
            use_responses_api=self._settings.api == "responses",
            http_async_client=_connections(),
            max_retries=0,
            stream_usage=True,
            **given,
        )

    def load(self) -> None:
        """Imports the client library, which takes seconds the first time."""
        import_module("langchain_openai")

    def cap(self, output_tokens: int) -> dict[str, Any]:
        """The arguments of a call that hold its output to so many tokens."""
        if self._settings.cap_field == "max_tokens":
            return {"extra_body": {"max_tokens": output_tokens}}
        return {"max_completion_tokens": output_tokens}


@cache
def _connections() -> Any:
    """One pool of connections for every model of the process, as all calls run on one loop."""
    return import_module("openai").DefaultAsyncHttpxClient()


def reasoning_effort(model: str, effort: str) -> str | None:
    """What to send as effort: nothing to a model that does not reason, unless it was asked for."""
    if effort != "auto":
        return effort
    return EFFORT_DEFAULT if model.startswith(REASONING_MODELS) else None

"""The chat model itself: the only place that builds one of langchain-openai's, or rebuilds one."""

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeGuard

from pydantic import SecretStr, ValidationError

from thrifty.budget import InvalidInput, ModelUnavailable
from thrifty.ledger.forks import once_a_process
from thrifty.models.background import background_loop
from thrifty.settings import Settings

if TYPE_CHECKING:
    from langchain_openai.chat_models.base import BaseChatOpenAI

REASONING_MODELS = ("gpt-5", "o1", "o3", "o4")
EFFORT_DEFAULT = "low"


class ChatClients:
    """Chat models by name and effort, each built once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.get = lru_cache(maxsize=64)(self._chat_model)

    def load(self) -> None:
        """Imports the client library, which takes seconds the first time, and all that it puts
        off until a client is made and its parts are looked at.

        Raises:
            ModelUnavailable: no client can be made, as where a proxy is named that cannot be used.
        """
        try:
            client = self._chat_model("warm up", "auto").root_async_client
            _ = client.chat.completions, client.responses
        except Exception as error:
            remedy = "check OPENAI_BASE_URL and the proxy variables"
            raise ModelUnavailable(f"no client can be made ({_said(error)}); {remedy}") from error

    def _chat_model(self, model: str, effort: str) -> "BaseChatOpenAI":
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
            **given,
        )


def _said(error: Exception) -> str:
    """What an error says, without the values that it was about."""
    if isinstance(error, ValidationError):
        return str(error.errors(include_input=False)[0]["msg"])
    return str(error).rstrip(".")


def is_ours(model: Any) -> TypeGuard["BaseChatOpenAI"]:
    """Whether it is a chat model of langchain-openai, or one made from it."""
    from langchain_openai.chat_models.base import BaseChatOpenAI

    return isinstance(model, BaseChatOpenAI)


def checked(model: Any) -> "BaseChatOpenAI":
    """A chat model that can be made ours.

    Raises:
        InvalidInput: it is none of langchain-openai's, or has no client for async calls.
    """
    if not is_ours(model):
        kind = type(model).__name__
        raise InvalidInput("model", kind, "use a chat model of langchain-openai, without bindings")
    if not hasattr(model.root_async_client, "with_options"):
        raise InvalidInput("model", model.model_name, "let it build its own async client")
    return model


def ours(model: Any) -> "BaseChatOpenAI":
    """A copy of a chat model that makes one attempt at a time, on connections of our own loop.

    A transport that the user gave it is kept: it must not be used on another event loop.

    Raises:
        InvalidInput: it is none that `checked` lets through.
    """
    given = checked(model)
    options: dict[str, Any] = {"max_retries": 0}
    if given.http_async_client is None:
        options["http_client"] = connections()
    client = given.root_async_client.with_options(**options)
    changes = {
        "root_async_client": client,
        "async_client": client.chat.completions,
        "max_retries": 0,
        "stream_usage": True,
        "streaming": False,
    }
    return given.model_copy(update=changes)


def longest_answer(model: "BaseChatOpenAI") -> int | None:
    """How many tokens a model can answer with at most; None where that is unknown."""
    return (model.profile or {}).get("max_output_tokens")


@once_a_process
def connections() -> Any:
    """One pool of connections for every model of a process, as all calls run on one loop."""
    pool = import_module("openai").DefaultAsyncHttpxClient()
    background_loop().at_end(pool.aclose)
    return pool


def reasoning_effort(model: str, effort: str) -> str | None:
    """What to send as effort: nothing to a model that does not reason, unless it was asked for."""
    if effort != "auto":
        return effort
    return EFFORT_DEFAULT if model.startswith(REASONING_MODELS) else None

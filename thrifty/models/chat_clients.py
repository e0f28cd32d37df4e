"""The agent's chat models, built from a deployment's settings."""

from functools import lru_cache
from typing import Any

from pydantic import SecretStr, ValidationError

from thrifty.budget import ModelUnavailable
from thrifty.models.providers.openai import OpenAIModel
from thrifty.models.providers.protocol import ProviderModel
from thrifty.settings import Settings

REASONING_MODELS = ("gpt-5", "o1", "o3", "o4")
EFFORT_DEFAULT = "low"


class ChatClients:
    """Chat models by name and effort, each built once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.get = lru_cache(maxsize=64)(self._build)  # bounded: callers name models

    def load(self) -> None:
        """Imports the client library, which takes seconds the first time.

        Raises:
            ModelUnavailable: no client can be made, as where a proxy is named that cannot be used.
        """
        try:
            self._build("warm up", "auto").load()
        except Exception as error:
            remedy = "check OPENAI_BASE_URL and the proxy variables"
            why = _safe_message(error)
            raise ModelUnavailable(f"no client can be made ({why}); {remedy}") from error

    def _build(self, model: str, effort: str) -> ProviderModel:
        from langchain_openai import ChatOpenAI  # 2 to 3 s: only when a model is really asked

        given: dict[str, Any] = {}
        if reasoning := reasoning_effort(model, effort):
            given["reasoning_effort"] = reasoning
        if self._settings.base_url:
            given["base_url"] = self._settings.base_url
        chat_model = ChatOpenAI(
            model=model,
            # The client insists on a key, also for a local server that asks for none.
            api_key=SecretStr(self._settings.api_key or "none"),
            use_responses_api=self._settings.api == "responses",
            **given,
        )
        return OpenAIModel(chat_model)


def reasoning_effort(model: str, effort: str) -> str | None:
    """What to send as effort: nothing to a model that does not reason, unless it was asked for."""
    if effort != "auto":
        return effort
    return EFFORT_DEFAULT if model.startswith(REASONING_MODELS) else None


def _safe_message(error: Exception) -> str:
    """What an error says, without the values that it was about."""
    if isinstance(error, ValidationError):
        return str(error.errors(include_input=False)[0]["msg"])
    return str(error).rstrip(".")

"""The clients of a deployment's model roles, each made when it is first asked."""

from functools import cache
from typing import Any

from pydantic import SecretStr, ValidationError

from thrifty.budget import ModelUnavailable
from thrifty.models.providers.openai import OPENAI_ADDRESS, OpenAIModel
from thrifty.models.providers.vendor import Vendor
from thrifty.models.roles import ModelRole, ModelRoles
from thrifty.models.server_words import NO_KEY


class ChatClients:
    """Clients by role, each made once."""

    def __init__(self, roles: ModelRoles) -> None:
        self._roles = roles
        self.get = cache(lambda role: _make_client(roles[role]))

    def load(self) -> None:
        """Imports the client library, which takes seconds the first time.

        Raises:
            ModelUnavailable: no client can be made, as where a proxy is named that cannot be used.
        """
        try:
            for role in self._roles:
                if not role.is_offline:
                    self.get(role.name).load()
        except Exception as error:
            remedy = "check OPENAI_BASE_URL, the models' base_url, and the proxy variables"
            why = _safe_message(error)
            raise ModelUnavailable(f"no client can be made ({why}); {remedy}") from error


def _make_client(role: ModelRole) -> Vendor:
    if role.client is not None:
        return OpenAIModel(role.client)
    from langchain_openai import ChatOpenAI  # 2 to 3 s: only when a model is really asked

    given: dict[str, Any] = {}
    if role.effort:
        given["reasoning_effort"] = role.effort
    chat_model = ChatOpenAI(
        model=role.model,
        # Named always: else the client takes it from the environment, beside another's key.
        base_url=role.base_url or OPENAI_ADDRESS,
        # The client insists on a key, also for a local server that asks for none.
        api_key=SecretStr(role.api_key or NO_KEY),
        use_responses_api=role.api == "responses",
        **given,
    )
    return OpenAIModel(chat_model)


def _safe_message(error: Exception) -> str:
    """What an error says, without the values that it was about."""
    if isinstance(error, ValidationError):
        return str(error.errors(include_input=False)[0]["msg"])
    return str(error).rstrip(".")

"""Groq's models by langchain-groq: what they call things."""

from collections.abc import Mapping
from typing import Any

from thrifty.budget import Budget, InvalidInput
from thrifty.models.providers.caps import without_caps
from thrifty.models.providers.chat_completions import ChatCompletionsModel
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor_facts import thinks_always
from thrifty.models.providers.vendor_request import VendorRequest
from thrifty.models.wire import connection_pool

LIBRARY = "groq"
STANDARD_TIERS = ("on_demand", "flex")
"""What may be asked for at the standard's price."""
SYSTEMS = ("groq/compound", "compound-beta")
"""Names that stand for several models, and for tools that run there."""

TAKES_A_WORD = "openai/gpt-oss"
"""How the names of models begin that are told by a word for how long to think."""
TURNED_OFF = "qwen/qwen3"
"""And of those that think unless they are told not to."""
EFFORT_DEFAULT = "low"
EFFORT_UNSAID = "medium"
"""How hard they think where nobody says."""


class GroqModel(ChatCompletionsModel):
    """A chat model of langchain-groq, for metered calls.

    A transport that the user gave it is kept: it must not be used on another event loop.
    """

    package = "langchain-groq"
    kind = "ChatGroq"
    title = "Groq"
    names = ("groq",)
    extra = "groq"
    key_variable = "GROQ_API_KEY"
    home = "https://api.groq.com"
    address_variables = ("GROQ_API_BASE", "GROQ_BASE_URL")
    listed_as = "groq"

    @classmethod
    def list_request(cls, address: str, key: str) -> tuple[str, Mapping[str, str]]:
        """Below the path that its client adds."""
        return f"{address.rstrip('/')}/openai/v1/models", {"authorization": f"Bearer {key}"}

    @classmethod
    def thinking(cls, model: str, effort: str) -> Thinking:
        """By a word, or by none at all."""
        if model.startswith(TAKES_A_WORD):
            if effort == "none":
                raise thinks_always(model)
            word = EFFORT_DEFAULT if effort in ("auto", "minimal") else effort
            return Thinking(word, {"reasoning_effort": word})
        if model.startswith(TURNED_OFF) and effort == "none":
            return Thinking(effort, {"reasoning_effort": effort})
        if model.startswith(TURNED_OFF) and effort == "auto":
            return Thinking(EFFORT_UNSAID)
        return super().thinking(model, effort)

    @classmethod
    def thinking_of(cls, model: Any) -> Thinking:
        """As its owner has said, or else as a model does that thinks unasked."""
        said, thinks = model.reasoning_effort, (TAKES_A_WORD, TURNED_OFF)
        if said in (None, "default") and model.model_name.startswith(thinks):
            said = EFFORT_UNSAID
        return Thinking(said)

    def name_of(self, model: Any) -> str:
        """As LangChain calls it."""
        return str(model.model_name)

    def address_of(self, model: Any) -> str:
        """As its client knows it."""
        return str(model.async_client._client.base_url)

    @property
    def is_watched(self) -> bool:
        """Not on a transport of the user's own."""
        return self.given.http_async_client is None

    def connect(self, model: Any) -> Any:
        """Its client is made anew: that of the model keeps its retries."""
        pool = connection_pool.connections(LIBRARY) if self.is_watched else None
        client = connection_pool.connect(model.async_client._client, pool)
        changes = {
            "async_client": client.chat.completions,
            "max_tokens": None,
            "model_kwargs": without_caps(model.model_kwargs),
        }
        return model.model_copy(update=changes)

    def tier(self, body: Mapping[str, Any]) -> str:
        """The service tier, where it may have a price of its own."""
        tier = super().tier(body)
        return "" if tier in STANDARD_TIERS else tier

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses what is billed without being sent."""
        if request.model.startswith(SYSTEMS):
            why = f"{request.model}: it asks several models, and tools that run at the provider"
            raise InvalidInput("request", why, "name one model, or limit neither tokens nor cost")
        super().check_bounded(request, budget)

    def complete_usage(self, message: Any, body: Mapping[str, Any]) -> None:
        """LangChain says the tier that was asked for, also where that is the standard one."""
        if message.response_metadata.get("service_tier") in STANDARD_TIERS:
            message.response_metadata["service_tier"] = ""

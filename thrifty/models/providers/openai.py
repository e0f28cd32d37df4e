"""OpenAI's models by langchain-openai: what is OpenAI's alone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from thrifty.models.costs.hosted_uses import HostedUses
from thrifty.models.costs.input_bound import (
    O200K_MODELS,
    encoding_model,
    is_openai_address,
)
from thrifty.models.failures.server_words import NO_KEY
from thrifty.models.providers.openai_likes import OpenAILikeModel, is_responses, name_of
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor_facts import (
    OUTPUT_TOKENS_KNOWN,
    OUTPUT_TOKENS_UNKNOWN,
    Server,
)
from thrifty.models.providers.vendor_request import CallBounds
from thrifty.models.wire.openai_protocol import OPENAI
from thrifty.settings import KEY_VARIABLE, Settings, base_url_in_environment

if TYPE_CHECKING:
    from thrifty.models.roles.model_role import ModelRole

OPENAI_ADDRESS = "https://api.openai.com/v1"
STANDARD_TIER = "default"
"""What is asked for at OpenAI where nobody says: left open, it is what the project has set, which
may be a dearer one."""
EFFORT_DEFAULT = "low"
REASONING_MODELS = ("gpt-5", "o1", "o3", "o4")
EFFORT_UNSAID = "medium"
"""How hard a model that reasons thinks where nobody says."""
USES_FIELD = "max_tool_calls"
"""By which the Responses API limits how often tools are used that run there."""
SERIALIZED_KINDS = ("ChatOpenAI", "OpenAI")
"""How LangChain's callbacks call a client that speaks to OpenAI unless it is told otherwise."""


class OpenAIModel(OpenAILikeModel):
    """A chat model of langchain-openai, for metered calls.

    A transport that the user gave it is kept: it must not be used on another event loop.
    """

    package = "langchain-openai"
    kind = "BaseChatOpenAI"
    title = "OpenAI"
    names = (OPENAI,)
    key_variable = KEY_VARIABLE
    home = OPENAI_ADDRESS
    address_variables = ("OPENAI_BASE_URL",)
    limits_uses = True
    listed_as = "openai"

    @classmethod
    def usual_server(cls, settings: Settings) -> Server:
        """As the settings have it."""
        return Server(settings.base_url, settings.api_key)

    @classmethod
    def make(cls, role: "ModelRole") -> Any:
        """By the protocol that its server speaks."""
        from langchain_openai import ChatOpenAI  # 2 to 3 s: only when a model is really asked
        from pydantic import SecretStr

        return ChatOpenAI(
            model=role.model,
            base_url=role.base_url or OPENAI_ADDRESS,
            # The client insists on a key, also for a local server that asks for none.
            api_key=SecretStr(role.api_key or NO_KEY),
            use_responses_api=role.api == "responses",
            **role.thinking.options,
        )

    @classmethod
    def thinking(cls, model: str, effort: str) -> Thinking:
        """Nothing is sent to a model that does not reason, unless it was asked for."""
        if effort == "auto":
            effort = EFFORT_DEFAULT if model.startswith(REASONING_MODELS) else ""
        return Thinking(effort, {"reasoning_effort": effort}) if effort else Thinking()

    @classmethod
    def thinking_of(cls, model: Any) -> Thinking:
        """As its owner has said, or else as a model does that reasons."""
        effort = model.reasoning_effort or (model.reasoning or {}).get("effort")
        if effort is None and name_of(model).startswith(REASONING_MODELS):
            effort = EFFORT_UNSAID
        return Thinking(effort)

    @classmethod
    def encoding(cls, model: str, address: str) -> str:
        """Known at OpenAI's addresses and Azure's alone."""
        return encoding_model(model, address)

    @classmethod
    def output_tokens_most(cls, model: str, address: str) -> int:
        """Each of OpenAI's own since gpt-4o can write long answers."""
        is_known = cls.encoding(model, address).startswith(O200K_MODELS)
        return OUTPUT_TOKENS_KNOWN if is_known else OUTPUT_TOKENS_UNKNOWN

    def close(self, body: dict[str, Any], options: dict[str, Any]) -> None:
        """Left open, a tier at OpenAI is what the project has set."""
        if not body.get("service_tier") and is_openai_address(self.address):
            body["service_tier"] = options["service_tier"] = STANDARD_TIER

    def hosted_uses(
        self, body: dict[str, Any], options: dict[str, Any], bounds: CallBounds
    ) -> HostedUses:
        """One API limits all uses together, and tells of each. The other does neither."""
        told = is_responses(body)
        uses = HostedUses.of(body, bounds.fees, are_told=told, searches=bounds.searches)
        if uses.most and uses.are_told:
            most = min(body.get(USES_FIELD) or uses.most, uses.most)
            body[USES_FIELD] = options[USES_FIELD] = most
            # What stands in the extra body is sent in its place.
            extra = {**(self.described.extra_body or {}), **(options.get("extra_body") or {})}
            if extra.pop(USES_FIELD, None) is not None:
                options["extra_body"] = extra
        return uses


def serialized_address(serialized: Mapping[str, Any]) -> str | None:
    """Where a client sends its requests, by what LangChain tells callbacks of it.

    Returns:
        The address, empty for OpenAI's own. None for a client of another kind.
    """
    given = serialized.get("kwargs") or {}
    if address := given.get("openai_api_base") or given.get("azure_endpoint"):
        return str(address)
    # OpenAI's own library reads the variable where LangChain names no address.
    kind = ["", *(serialized.get("id") or ())][-1]
    return base_url_in_environment() if kind in SERIALIZED_KINDS else None

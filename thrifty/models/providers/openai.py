"""OpenAI's models by langchain-openai, and those made from it: what they call things."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from thrifty.budget import Budget, InvalidInput
from thrifty.models.costs.hosted_uses import HostedUses, UseFee, uses_sent_again
from thrifty.models.costs.input_bound import (
    O200K_MODELS,
    encoding_model,
    input_tokens,
    is_openai_address,
    recalled_tokens,
    sounds,
)
from thrifty.models.costs.reported_cost import REPORTED_USAGE
from thrifty.models.failures.server_words import NO_KEY
from thrifty.models.providers.caps import without_caps
from thrifty.models.providers.chat_completions import check_sent_whole
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_facts import (
    OUTPUT_TOKENS_KNOWN,
    OUTPUT_TOKENS_UNKNOWN,
    Server,
)
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.models.wire import connection_pool
from thrifty.models.wire.openai_protocol import OPENAI, CapField
from thrifty.settings import KEY_VARIABLE, Settings, base_url_in_environment

if TYPE_CHECKING:
    from thrifty.models.roles.model_role import ModelRole

LIBRARY = "openai"
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
RESPONSES_CAP_MIN = 16
"""The Responses API refuses lower caps."""
SERIALIZED_KINDS = ("ChatOpenAI", "OpenAI")
"""How LangChain's callbacks call a client that speaks to OpenAI unless it is told otherwise."""


class OpenAIModel(Vendor):
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
    counts_as_json = False
    limits_uses = True
    listed_as = "openai"
    cut_words: ClassVar = {"finish_reason": ("length",), "status": ("incomplete",)}
    delivery_fields = ("stream", "stream_options", "timeout", "extra_headers", "extra_query")
    why_cap_min = "the Responses API takes no smaller cap"

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
        name = model.model_name or getattr(model, "deployment_name", None) or ""
        if effort is None and name.startswith(REASONING_MODELS):
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

    def check(self, model: Any) -> None:
        """It needs a client for async calls."""
        if not hasattr(model.root_async_client, "with_options"):
            raise InvalidInput("model", model.model_name, "let it build its own async client")

    def name_of(self, model: Any) -> str:
        """As LangChain calls it."""
        # Of Azure's, whoever made it may have named no model, and its deployment alone.
        return str(model.model_name or getattr(model, "deployment_name", None) or "")

    def address_of(self, model: Any) -> str:
        """As its client knows it."""
        return str(model.root_async_client.base_url)

    def load(self) -> None:
        """Imports what the client puts off until its parts are looked at."""
        client = self.given.root_async_client
        _ = client.chat.completions, client.responses

    @property
    def is_watched(self) -> bool:
        """Not on a transport of the user's own."""
        return self.given.http_async_client is None

    def connect(self, model: Any) -> Any:
        """On the Responses API a cap of the model's own would win over the call's."""
        options: dict[str, Any] = {"max_retries": 0}
        if self.is_watched:
            options["http_client"] = connections()
        client = model.root_async_client.with_options(**options)
        client._process_response = partial(connection_pool.parse_beside, client._process_response)
        # What the environment says of OpenAI's is nobody else's.
        if self.is_apart or OPENAI not in self.names:
            client._custom_headers = dict(model.default_headers or {})
            client.organization = client.project = None
        changes: dict[str, Any] = {
            "root_async_client": client,
            "async_client": client.chat.completions,
            "max_tokens": None,
            "model_kwargs": without_caps(model.model_kwargs),
        }
        if model.extra_body:
            changes["extra_body"] = without_caps(model.extra_body)
        connected = model.model_copy(update=changes)
        # On the object and not in its class: the model as its owner made it stays as it is.
        convert = partial(_convert_with_count, connected._convert_chunk_to_generation_chunk)
        object.__setattr__(connected, "_convert_chunk_to_generation_chunk", convert)
        return connected

    def cap_min(self, body: Mapping[str, Any]) -> int:
        """One API has a smallest cap."""
        return RESPONSES_CAP_MIN if _is_responses(body) else super().cap_min(body)

    def cap_options(self, request: VendorRequest, cap: int) -> dict[str, Any]:
        """Of all names of the cap, the newest alone reaches the wire by both protocols."""
        newest = self.cap_field(request.bounds) == "max_completion_tokens"
        if newest or _is_responses(request.body):
            return {"max_completion_tokens": cap}
        extra = request.connected.extra_body or {}, request.options.get("extra_body", {})
        return {"extra_body": {**extra[0], **extra[1], "max_tokens": cap}}

    def cap_field(self, bounds: CallBounds) -> CapField:
        """What Chat Completions calls the output cap."""
        return bounds.cap_field

    def input_tokens(
        self, body: Mapping[str, Any], messages: Sequence[Any], bounds: CallBounds
    ) -> int:
        """Counted where OpenAI answers, with the reasoning that the Responses API has kept."""
        name = str(body.get("model") or self.name)
        encoding = bounds.encoding or self.encoding(name, self.address)
        recalled = recalled_tokens(messages) if _is_responses(body) else 0
        found = sum(fee.tokens_max for fee in uses_sent_again(body, bounds.fees))
        text = input_tokens(body, encoding, bounds.tokens_per_attachment or 0)
        return text + (recalled or 0) + found

    def audio_tokens(self, body: Mapping[str, Any], bounds: CallBounds) -> int:
        """Any attachment that is no picture may be sound."""
        return sounds(body) * (bounds.tokens_per_attachment or 0)

    def close(self, body: dict[str, Any], options: dict[str, Any]) -> None:
        """Left open, a tier at OpenAI is what the project has set."""
        if not body.get("service_tier") and is_openai_address(self.address):
            body["service_tier"] = options["service_tier"] = STANDARD_TIER

    def hosted_uses(
        self, body: dict[str, Any], options: dict[str, Any], fees: Mapping[str, UseFee]
    ) -> HostedUses:
        """One API limits all uses together, and tells of each. The other does neither."""
        uses = HostedUses.of(body, fees, are_told=_is_responses(body))
        if uses.most and uses.are_told:
            most = min(body.get(USES_FIELD) or uses.most, uses.most)
            body[USES_FIELD] = options[USES_FIELD] = most
            # What stands in the extra body is sent in its place.
            extra = {**(self.described.extra_body or {}), **(options.get("extra_body") or {})}
            if extra.pop(USES_FIELD, None) is not None:
                options["extra_body"] = extra
        return uses

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses what is billed without being sent."""
        body = request.body
        check_sent_whole(body, request, budget)
        if _is_responses(body) and recalled_tokens(request.messages) is None:
            what = "reasoning by its id, in a message without usage_metadata"
            remedy = "send messages as the model gave them, or use ChatOpenAI(store=False, "
            remedy += 'include=["reasoning.encrypted_content"])'
            raise InvalidInput("messages", what, remedy)


def connections() -> Any:
    """The pool of connections to OpenAI and those who speak like it."""
    return connection_pool.connections(LIBRARY)


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


def _convert_with_count(convert: Callable[..., Any], chunk: Any, *given: Any) -> Any:
    """Leaves a count in the server's own words beside a piece, which LangChain throws away."""
    made = convert(chunk, *given)
    if made is not None and (counted := chunk.get("usage")):
        made.message.response_metadata[REPORTED_USAGE] = counted
    return made


def _is_responses(body: Mapping[str, Any]) -> bool:
    """Whether it goes by the Responses API."""
    return "input" in body

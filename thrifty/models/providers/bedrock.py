"""Bedrock's models by langchain-aws (`ChatBedrockConverse`): what they call things, and refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from thrifty.budget import Budget, InvalidInput
from thrifty.models.costs.input_bound import as_json, template_room, utf8_bytes
from thrifty.models.providers.bedrock_client import BedrockOnLoop, client_certificate
from thrifty.models.providers.caps import CAP_FIELDS
from thrifty.models.providers.refusals import check_attachments, refuse_unbounded
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_facts import Server
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.settings import Settings, variable_in_environment

if TYPE_CHECKING:
    from thrifty.models.roles.model_role import ModelRole

CAP_TRIED = 777_777
"""A cap with which a request is put together, to see whether it goes out."""
SHAPE = "ls_structured_output_format"
"""How LangChain says that a tool is the shape of an answer."""
STANDARD_TIERS = ("", "default")
STANDARD_SPEEDS = ("", "standard")
UNREAD_FIELDS = (
    *("model", "modelId", "inferenceConfig", "serviceTier", "performanceConfig"),
    *("requestMetadata", "additionalModelResponseFieldPaths"),
)
"""What of a request no model reads. All else is input, whatever is invented."""
FILES = ("image", "document", "video", "audio")
"""Parts of a message that are more than their text."""
MORE = "additionalModelRequestFields"
"""What goes to the model as it is."""
STORED_PROMPT = ":prompt/"
"""What stands in the name of a prompt that Amazon has stored."""
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
SIGNED = (
    "leave it out: region and credentials come from AWS's own settings. For another address hand "
    "over ChatBedrockConverse(model=…, endpoint_url=…)"
)
TOOLS_HERE = ("toolSpec", "cachePoint")


class BedrockModel(Vendor):
    """A chat model of langchain-aws by the Converse API, for metered calls."""

    package = "langchain-aws"
    kind = "ChatBedrockConverse"
    title = "Bedrock"
    names = ("bedrock", "bedrock_converse")
    extra = "bedrock"
    home = "https://bedrock-runtime.amazonaws.com"
    address_variables = ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL")
    without_key = "region and credentials are those that AWS's own clients find"
    client_remedy = "name a region and credentials, as AWS_REGION and AWS_PROFILE do"
    listed_as = "aws"
    cut_words: ClassVar = {"stopReason": ("max_tokens", "model_context_window_exceeded")}
    delivery_fields = ("requestMetadata",)
    why_cap_min = "max_tokens has to be larger than thinking.budget_tokens"

    @classmethod
    def usual_server(cls, settings: Settings) -> Server:
        """Of its region, as far as the environment names one. Its client finds it by itself."""
        region = next(filter(None, map(variable_in_environment, REGION_VARIABLES)), "")
        address, key = super().usual_server(settings)
        if region and address == cls.home:
            address = f"https://bedrock-runtime.{region}.amazonaws.com"
        return Server(address, key)

    @classmethod
    def check_described(cls, base_url: str, key_variable: str) -> None:
        """A signed request brings a session's token to whatever host it names."""
        if base_url:
            raise InvalidInput("base_url", base_url, SIGNED)
        if key_variable:
            raise InvalidInput("key_variable", key_variable, SIGNED)

    @classmethod
    def make(cls, role: ModelRole) -> Any:
        """Where and with which credentials AWS's own settings say."""
        made = getattr(import_module("langchain_aws"), cls.kind)
        return made(model=role.model, **role.thinking.options)

    @classmethod
    def list_request(cls, address: str, key: str) -> tuple[str, Mapping[str, str]] | None:
        """None that can be asked without a signature."""
        return None

    def check(self, model: Any) -> None:
        """Its connections are made anew, and can be made without a certificate alone."""
        if client_certificate(model.client):
            raise InvalidInput("model", "a client certificate", "make its client without one")

    def name_of(self, model: Any) -> str:
        """Of an inference profile, the model behind it where that is known."""
        return str(model.base_model_id or model.model_id)

    def address_of(self, model: Any) -> str:
        """As its client knows it."""
        return str(model.client.meta.endpoint_url)

    def connect(self, model: Any) -> Any:
        """Its client is synchronous."""
        return BedrockOnLoop(model.model_copy(update={"max_tokens": None}))

    def body(
        self,
        connected: Any,
        messages: list[Any],
        stop: list[str] | None,
        options: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What the client would be asked to send. Some settings take the cap out of it."""
        body: dict[str, Any] = connected.body(
            messages, stop=stop, **{**options, "max_tokens": CAP_TRIED}
        )
        settings = dict(body.get("inferenceConfig") or {})
        more = body.get(MORE) or {}
        if settings.pop("maxTokens", None) != CAP_TRIED or any(map(more.get, CAP_FIELDS)):
            remedy = (
                "leave out inference_config, high effort of Nova, and caps among further fields"
            )
            raise InvalidInput("request", "an output cap that does not reach the model", remedy)
        asked = str(body["modelId"])
        name = self.name if asked == self.given.model_id else asked
        return {**body, "inferenceConfig": settings, "model": name}

    def tool_options(self, tools: Sequence[Any], **options: Any) -> Mapping[str, Any]:
        """LangChain refuses to force a tool where a model cannot be told to call one.

        Where the tool is the shape of an answer, it is offered as firmly as the model takes it.
        """
        taken = self.described.supports_tool_choice_values or ()
        if SHAPE in options and "tool" not in taken:
            options["tool_choice"] = "any" if "any" in taken else None
        return super().tool_options(tools, **options)

    def cap_min(self, body: Mapping[str, Any]) -> int:
        """Thought of Claude's is written under the cap, and wants room for an answer as well."""
        thinking = (body.get(MORE) or {}).get("thinking") or {}
        return int(thinking.get("budget_tokens") or 0) + 1

    def tier(self, body: Mapping[str, Any]) -> str:
        """Whatever makes a request dearer or cheaper: a tier, or a speed."""
        tier = (body.get("serviceTier") or {}).get("type") or ""
        speed = (body.get("performanceConfig") or {}).get("latency") or ""
        asked = [] if tier in STANDARD_TIERS else [str(tier)]
        return " ".join(asked + ([] if speed in STANDARD_SPEEDS else [str(speed)]))

    def input_tokens(
        self, body: Mapping[str, Any], messages: Sequence[Any], bounds: CallBounds
    ) -> int:
        """The bytes of all that is read, with the names of its fields, whoever's model it is."""
        read = _without_files({name: body[name] for name in body if name not in UNREAD_FIELDS})
        files = sum(1 for _ in _files(body.get("messages")))
        has_schemas = bool(body.get("toolConfig") or body.get("outputConfig"))
        room = template_room(has_schemas)
        text = utf8_bytes(as_json(read))
        return text + room + files * (bounds.tokens_per_attachment or 0)

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses what is billed without being sent."""
        refuse_unbounded(_why_unbounded(request.body))
        check_attachments(sum(1 for _ in _files(request.body.get("messages"))), request)


def _why_unbounded(body: Mapping[str, Any]) -> str:
    if body.get("guardrailConfig"):
        return "guardrailConfig: each text that it reads has a fee"
    if STORED_PROMPT in str(body.get("modelId")):
        return "modelId: Amazon adds the prompt that it has stored"
    for tool in (body.get("toolConfig") or {}).get("tools") or ():
        for kind in tool:
            if kind not in TOOLS_HERE:
                return f"tools: {kind!r} runs at Amazon, or adds what nobody counted"
    if (body.get(MORE) or {}).get("tools"):
        return f"{MORE}.tools: they run at the provider, or add what nobody counted"
    for file in _files(body.get("messages")):
        if "s3Location" in (file.get("source") or {}):
            return "s3Location: Amazon reads what nobody here has seen"
    return ""


def _files(value: Any) -> Iterator[Mapping[str, Any]]:
    """The images and files in messages, and in what tools returned."""
    for message in value or ():
        for block in message.get("content") or ():
            inner = (block.get("toolResult") or {}).get("content") or ()
            for part in (block, *inner):
                yield from (part[kind] for kind in FILES if isinstance(part.get(kind), Mapping))


def _without_files(value: Any) -> Any:
    """The same without bytes, which are no text."""
    if isinstance(value, Mapping):
        return {name: _without_files(value[name]) for name in value}
    if isinstance(value, list | tuple):
        return [_without_files(each) for each in value]
    return "" if isinstance(value, bytes) else value

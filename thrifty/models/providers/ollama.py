"""Ollama's models by langchain-ollama: what they call things."""

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from thrifty.budget import Budget
from thrifty.models.costs.input_bound import input_tokens
from thrifty.models.costs.token_price import TokenPrice
from thrifty.models.failures.server_words import NO_KEY
from thrifty.models.providers.refusals import check_attachments
from thrifty.models.providers.shared_client import shared_client
from thrifty.models.providers.thinking import Thinking
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.vendor_facts import Server, thinks_always
from thrifty.models.providers.vendor_request import CallBounds, VendorRequest
from thrifty.settings import Settings

if TYPE_CHECKING:
    from thrifty.models.roles.model_role import ModelRole

CAP = "num_predict"
PORT = "11434"
"""Where it listens where nobody says."""
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
IN_CLOUD = re.compile(r"[:-]cloud$")
"""How the names of models end that run at Ollama, and are only asked here."""
TAKES_A_WORD = "gpt-oss"
"""How the names of models begin that are told by a word for how long to think."""
THINKS = (TAKES_A_WORD, "deepseek-r1", "deepseek-v3.1", "qwen3", "magistral")
"""And of those that think unless they are told not to. Ollama refuses a word on it to others."""
EFFORT_UNSAID = "medium"
"""How hard they think where nobody says."""
OWN_CONNECTIONS = ("transport", "mounts", "proxy", "verify", "cert", "limits", "http1", "http2")
"""Settings of a client that are about its connections, and that no other connection has."""


class OllamaModel(Vendor):
    """A chat model of langchain-ollama, for metered calls.

    A client with connections of its own is kept: it must not be used on another event loop.
    """

    package = "langchain-ollama"
    kind = "ChatOllama"
    title = "Ollama"
    names = ("ollama",)
    extra = "ollama"
    home = "http://127.0.0.1:11434"
    address_variables = ("OLLAMA_HOST",)
    counts_as_json = False
    listed_as = "ollama"
    cut_words: ClassVar = {"done_reason": ("length",)}
    delivery_fields = ("stream", "keep_alive")

    @classmethod
    def usual_server(cls, settings: Settings) -> Server:
        """The variable may say where the server listens, in fewer words than an address has."""
        server = super().usual_server(settings)
        return server._replace(address=_address(server.address))

    @classmethod
    def make(cls, role: "ModelRole") -> Any:
        """With a key in a header: else its client takes what the environment has."""
        made = import_module(cls.package.replace("-", "_")).ChatOllama
        # Of these, unlike a mapping, nobody is shown the key.
        key = f"Bearer {role.api_key or NO_KEY}"
        headers = import_module("httpx").Headers({"authorization": key})
        address = role.base_url or cls.home
        given = {"base_url": address, "client_kwargs": {"headers": headers}}
        return made(model=role.model, **given, **role.thinking.options)

    @classmethod
    def thinking(cls, model: str, effort: str) -> Thinking:
        """By a word, or by yes and no."""
        if not model.startswith(THINKS):
            return super().thinking(model, effort)
        if effort == "auto":
            return Thinking(EFFORT_UNSAID)
        if not model.startswith(TAKES_A_WORD):
            return Thinking(effort, {"reasoning": effort != "none"})
        if effort == "none":
            raise thinks_always(model)
        word = "low" if effort == "minimal" else effort
        return Thinking(word, {"reasoning": word})

    @classmethod
    def thinking_of(cls, model: Any) -> Thinking:
        """As its owner has said, or else as a model does that thinks unasked."""
        said = model.reasoning
        if isinstance(said, str):
            return Thinking(said)
        thinks = model.model.startswith(THINKS) if said is None else said
        return Thinking(EFFORT_UNSAID if thinks else None)

    @classmethod
    def own_price(cls, model: str, address: str) -> TokenPrice | None:
        """Nothing on this machine, but for what it hands on to Ollama's cloud."""
        is_here = urlsplit(address).hostname in THIS_MACHINE
        return TokenPrice(Decimal(), Decimal()) if is_here and not IN_CLOUD.search(model) else None

    @classmethod
    def list_request(cls, address: str, key: str) -> tuple[str, Mapping[str, str]]:
        """In OpenAI's protocol, which it speaks as well."""
        return f"{address.rstrip('/')}/v1/models", {"authorization": f"Bearer {key}"}

    def name_of(self, model: Any) -> str:
        """As LangChain calls it."""
        return str(model.model)

    def address_of(self, model: Any) -> str:
        """As its client knows it."""
        return str(model._async_client._client.base_url)

    @property
    def is_watched(self) -> bool:
        """Not by a client with connections of its own."""
        given = {**(self.given.client_kwargs or {}), **(self.given.async_client_kwargs or {})}
        return given.keys().isdisjoint(OWN_CONNECTIONS)

    def connect(self, model: Any) -> Any:
        """Its client is one of httpx's, within one of Ollama's."""
        connected = model.model_copy(update={CAP: None})
        if self.is_watched:
            client = copy(model._async_client)
            client._client = shared_client(client._client)
            connected._async_client = client
        return connected

    def body(
        self,
        connected: Any,
        messages: list[Any],
        stop: list[str] | None,
        options: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What the client will send. Its cap is among the options."""
        body: dict[str, Any] = connected._chat_params(messages, stop, **options)
        kept = {name: value for name, value in body["options"].items() if name != CAP}
        return {**body, "options": kept}

    def own_cap(self, model: Any) -> Any:
        """The cap that a model was made with; less than none is none."""
        return _cap(model.num_predict)

    def call_caps(self, options: Mapping[str, Any]) -> Iterable[Any]:
        """The cap among a call's options."""
        return [_cap((options.get("options") or {}).get(CAP))]

    def cap_options(self, request: VendorRequest, cap: int) -> dict[str, Any]:
        """Options of a call take the place of all of the model's: they are named with it."""
        return {"options": {**request.body["options"], CAP: cap}}

    def tier(self, body: Mapping[str, Any]) -> str:
        """It has none."""
        return ""

    def input_tokens(
        self, body: Mapping[str, Any], messages: Sequence[Any], bounds: CallBounds
    ) -> int:
        """The bytes of what is read, and room for the template of a model."""
        texts = [{**message, "images": None} for message in body["messages"]]
        read = {"messages": texts, "tools": body.get("tools"), "response_format": body["format"]}
        images = _images(body) * (bounds.tokens_per_attachment or 0)
        return input_tokens(read, bounds.encoding or "") + images

    def check_bounded(self, request: VendorRequest, budget: Budget) -> None:
        """Refuses pictures of which nobody knows how large they are."""
        check_attachments(_images(request.body), request)


def _cap(given: Any) -> Any:
    is_none = isinstance(given, int) and given < 0
    return None if is_none else given


def _images(body: Mapping[str, Any]) -> int:
    return sum(len(message.get("images") or ()) for message in body["messages"])


def _address(told: str) -> str:
    """An address with scheme and port, at which it can be asked."""
    if "://" not in told:
        host, _, port = told.rpartition(":")
        told = f"http://{told}:{PORT}" if not port.isdigit() else f"http://{host}:{port}"
    return told.replace("//0.0.0.0:", "//127.0.0.1:").replace("//:", "//127.0.0.1:")

"""What has to be known of a vendor before there is a client of it: what a model role is made of."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from thrifty.budget import InvalidInput
from thrifty.models.costs.token_price import TokenPrice
from thrifty.models.failures.server_words import NO_KEY
from thrifty.models.providers.thinking import Thinking
from thrifty.settings import Settings, variable_in_environment

if TYPE_CHECKING:
    from thrifty.models.roles.model_role import ModelRole

OUTPUT_TOKENS_KNOWN = 16_000
"""What most models of today can write in one answer."""
OUTPUT_TOKENS_UNKNOWN = 4_000
"""The same of a model that nobody here knows: some servers refuse a cap above what it can."""
HARD = "high"


def thinks_always(model: str) -> InvalidInput:
    """The refusal of an effort of none, for a model that thinks in any case."""
    return InvalidInput("effort", "none", f"use low: {model} cannot be told not to think")


def thinks_by_itself(model: str, effort: str, unsaid: str) -> Thinking:
    """How a model thinks that nobody can tell how hard to.

    Args:
        model: its name.
        effort: as a deployment names it.
        unsaid: how hard it thinks.

    Raises:
        InvalidInput: it is told so all the same.
    """
    if effort == "auto":
        return Thinking(unsaid)
    raise InvalidInput("effort", effort, f"leave it out: {model} thinks by itself")


class Server(NamedTuple):
    """Where a vendor's models are asked, and with which key."""

    address: str
    key: str


class VendorFacts:
    """What differs between vendors where a model is named, and not made yet.

    A vendor whose models can be named says at least `names` and what follows it, up to `home`.
    """

    package: ClassVar[str]
    """Of LangChain's, as people install it: `langchain-openai`."""
    kind: ClassVar[str]
    """The name of its chat model there: any class that is made of it is this vendor's as well."""
    title: ClassVar[str]
    """What people call it."""
    names: ClassVar[tuple[str, ...]] = ()
    """What stands before the colon of a model's name, as for LangChain's `init_chat_model`."""
    extra: ClassVar[str] = ""
    """The extra of thrifty that installs its package. Empty where that is always there."""
    key_variable: ClassVar[str] = ""
    """The variable of the environment that usually holds its key. Empty where none is needed."""
    home: ClassVar[str] = ""
    """Its own address, up to where its client adds the rest."""
    address_variables: ClassVar[tuple[str, ...]] = ()
    """The variables by which its own client is told of another address."""
    without_key: ClassVar[str] = "none is set; a server of your own may need none"
    """What to say of its key where a role has none."""
    client_remedy: ClassVar[str] = ""
    """What to look at where no client of it can be made. Empty: what names its address."""
    limits_uses: ClassVar[bool] = False
    """Whether it can be told how often a tool that runs at the provider may be used."""
    counts_as_json: ClassVar[bool] = True
    """Whether all of a request's JSON bounds its tokens, and not the texts in it alone."""

    @classmethod
    def is_installed(cls) -> bool:
        """Whether its package is there. Nothing is imported."""
        return find_spec(cls.package.replace("-", "_")) is not None

    @classmethod
    def install_remedy(cls) -> str:
        """What to do where it is not."""
        return f"{cls.package} is not installed: pip install 'thrifty[{cls.extra}]'"

    @classmethod
    def usual_server(cls, settings: Settings) -> Server:
        """Where models are asked that name no address of their own, and with which key."""
        named = (variable_in_environment(variable) for variable in cls.address_variables)
        return Server(
            next(filter(None, named), cls.home), variable_in_environment(cls.key_variable)
        )

    @classmethod
    def check_described(cls, base_url: str, key_variable: str) -> None:
        """Refuses a role whose server or key cannot be named.

        Raises:
            InvalidInput: with the remedy.
        """
        return None

    @classmethod
    def make(cls, role: ModelRole) -> Any:
        """A chat model of the vendor's package, for a role. All of its server is named.

        Else its client would take from the environment what belongs to another.
        """
        from pydantic import SecretStr  # loaded already, with the client

        made = getattr(import_module(cls.package.replace("-", "_")), cls.kind)
        key = SecretStr(role.api_key or NO_KEY)
        address = role.base_url or cls.home
        return made(model=role.model, base_url=address, api_key=key, **role.thinking.options)

    @classmethod
    def thinking(cls, model: str, effort: str) -> Thinking:
        """How hard a model is to think.

        Args:
            model: its name.
            effort: as a deployment names it, or `auto`.

        Raises:
            InvalidInput: it cannot be told so.
        """
        if effort in ("auto", "none"):
            return Thinking()
        raise InvalidInput("effort", effort, f"leave it out: {cls.title} takes none here")

    @classmethod
    def takes_effort(cls, model: str) -> bool:
        """Whether a model can be told how hard to think."""
        try:
            return bool(cls.thinking(model, HARD).options)
        except InvalidInput:
            return False

    @classmethod
    def thinking_of(cls, model: Any) -> Thinking:
        """How hard a chat model thinks that its owner has made."""
        return Thinking()

    @classmethod
    def encoding(cls, model: str, address: str) -> str:
        """The name by which its encoding is known; empty where texts are bounded by their bytes."""
        return ""

    @classmethod
    def output_tokens_most(cls, model: str, address: str) -> int:
        """How many tokens a model can surely be asked for in one answer."""
        return OUTPUT_TOKENS_UNKNOWN

    @classmethod
    def own_price(cls, model: str, address: str) -> TokenPrice | None:
        """What a model costs that no list has, as it runs on its user's own machine."""
        return None

    @classmethod
    def list_request(cls, address: str, key: str) -> tuple[str, Mapping[str, str]] | None:
        """Where the server lists its models, and the headers to ask with; None where it does not.

        This costs nothing.
        """
        return f"{address.rstrip('/')}/models", {"authorization": f"Bearer {key}"}

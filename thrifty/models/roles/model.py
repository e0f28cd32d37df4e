"""A model of a deployment: where it is asked, with which key, how, and at what price."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Literal, get_args

from thrifty.budget import InvalidInput, validate
from thrifty.models.costs.hosted_uses import UseFee, check_fees, read_fees
from thrifty.models.costs.token_price import PRICE_EXAMPLE, TokenPrice, read_price
from thrifty.models.costs.use_fees import SEARCH
from thrifty.models.wire.openai_protocol import (
    OPENAI,
    PROTOCOL_FIELDS,
    Api,
    CapField,
    Encoding,
    ShapeField,
    check_protocol,
)

Effort = Literal["auto", "none", "minimal", "low", "medium", "high"]

MODEL_NAME_MAX = 200
REASONING_FACTOR_MAX = 1_000.0
VARIABLE_PATTERN = r"[A-Za-z_][A-Za-z0-9_]*"
LANGCHAIN_VENDORS = (
    *("anthropic", "anthropic_bedrock", "azure_ai", "azure_openai", "baseten", "bedrock"),
    *("bedrock_converse", "bedrock_mantle_anthropic", "bedrock_mantle_openai", "cohere"),
    *("deepseek", "fireworks", "google_anthropic_vertex", "google_genai", "google_vertexai"),
    *("groq", "huggingface", "ibm", "langsmith", "litellm", "meta", "mistralai", "nvidia"),
    *("ollama", "openai", "openrouter", "perplexity", "together", "upstage", "xai"),
)
"""What LangChain calls vendors. Of these, some can be named here. Any other prefix is part of a
name: `llama3:8b` is a model."""
TAG = re.compile(r"\d|v\d|q\d|latest|instruct|text|chat|code")
"""How a tag of Ollama's begins, which follows a colon as well: `mistral:7b` is a model."""
TYPED_WRONG = 0.85
"""How alike two names of a vendor are, from 0 to 1, where one is a slip of the other."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model, as a deployment describes it. Only the name has to be given.

    Raises:
        InvalidInput: a field has a value that cannot be used.
    """

    name: str
    """What its server calls it: `gpt-5`, or `anthropic:claude-haiku-4-5` with the vendor before it,
    as LangChain's `init_chat_model` calls that."""
    base_url: str = ""
    """The server's address, as its vendor's client takes it: for OpenAI's protocol, up to and with
    `/v1`. When empty, that of the settings or of the environment, or else the vendor's own."""
    key_variable: str = ""
    """The variable of the environment that holds the key. When empty, the vendor's usual one, such
    as `ANTHROPIC_API_KEY`; at an address of its own, none."""
    price: TokenPrice | None = None
    """What it costs. Without one, the settings' price of that name, or else the public list's."""
    effort: Effort = "auto"
    """How hard it thinks. `auto` is low for models that reason, and nothing for others."""
    reasoning_factor: float | None = None
    """How many tokens it writes for each token of its answer, with its reasoning. From 1; by
    default, as its effort suggests."""
    tokens_per_attachment: int | None = None
    """The most that an image or a file can be for it. None: it is sent none while tokens or money
    are limited."""
    api: Api | None = None
    """Which of the two OpenAI protocols its server speaks: by default `responses` at OpenAI's,
    and `chat` elsewhere."""
    cap_field: CapField | None = None
    """What Chat Completions calls the output cap: by default, `max_completion_tokens`. A server
    ignores a name that it does not know."""
    shape_field: ShapeField | None = None
    """Where Chat Completions says which shape an answer is to have: by default in `tools`, as the
    arguments of a function. Some servers leave tools out where a model was not made for them, and
    hold it to the schema in `response_format`, such as llama.cpp's."""
    encoding: Encoding | None = None
    """By which encoding of OpenAI's its server counts, where you know that. By default bytes bound
    what is sent to any but OpenAI and Azure."""
    reported_cost: bool = False
    """Whether a call is charged what its server says that it has cost, as gateways such as
    OpenRouter and LiteLLM's proxy do. Before the call, and where nothing is said, prices count."""
    fees: Mapping[str, UseFee] = field(default_factory=dict, hash=False)
    """What each search costs of a model that searches by itself, and how many a call may make:
    `{"web_search": UseFee(0.01, uses_max=3, tokens_max=20_000)}`. Without it such a model is not
    asked while money is limited. All are held for each call."""
    vendor: str = ""
    """Whose client asks it. When empty, whose name stands before the colon of `name`, or else
    `openai`, for OpenAI's protocol."""

    def __post_init__(self) -> None:
        vendor, name = _split_name(self.name, self.vendor)
        object.__setattr__(self, "vendor", vendor)
        object.__setattr__(self, "name", name)
        for each in ("base_url", "key_variable"):
            validate.any_string(each, getattr(self, each))
        check_address("base_url", self.base_url)
        if self.key_variable and not re.fullmatch(VARIABLE_PATTERN, self.key_variable):
            # Somebody may have written the key itself here: no message repeats it.
            raise InvalidInput("key_variable", "a name that no variable has", "name the variable")
        if self.price is not None:
            validate.instance("price", self.price, TokenPrice, PRICE_EXAMPLE)
        validate.instance("reported_cost", self.reported_cost, bool, "True")
        validate.choice("effort", self.effort, get_args(Effort))
        if (factor := self.reasoning_factor) is not None:
            validate.number("reasoning_factor", factor, minimum=1, maximum=REASONING_FACTOR_MAX)
        if self.tokens_per_attachment is not None:
            validate.amount("tokens_per_attachment", self.tokens_per_attachment)
        check_protocol(self.api, self.cap_field, self.shape_field)
        if self.encoding is not None:
            validate.choice("encoding", self.encoding, get_args(Encoding))
        for each in PROTOCOL_FIELDS if self.vendor != OPENAI else ():
            if (value := getattr(self, each)) is not None:
                raise InvalidInput(each, value, f"leave it out: {self.vendor} has its own protocol")
        _check_searches(self.fees, self.vendor)

    @classmethod
    def read(cls, field: str, given: object) -> "Model":
        """Reads a model from a name, or from a mapping with the fields of this class.

        Args:
            field: what an error calls it.
            given: the name or the mapping. A price is a mapping as `read_price` reads it.

        Raises:
            InvalidInput: it is neither, or a field has a value that cannot be used.
        """
        described = {"name": given} if isinstance(given, str) else given
        for name in described if isinstance(described, Mapping) else ():
            if name not in _FIELDS:
                raise unknown_field(f"{field}.{name}", _FIELDS)
        kept = dict(validate.complete_record(field, described, ["name"], _FIELDS))
        if kept.get("price") is not None:
            kept["price"] = read_price(f"{field}.price", kept["price"])
        if "fees" in kept:
            kept["fees"] = read_fees(f"{field}.fees", kept["fees"])
        try:
            return cls(**kept)
        except InvalidInput as error:
            raise InvalidInput(f"{field}.{error.field}", error.value, error.remedy) from None

    def to_state(self) -> dict[str, Any]:
        """What `read` reads: the fields that are set, as plain data."""
        set_fields = {name: value for name in _FIELDS if (value := getattr(self, name))}
        if self.vendor == OPENAI and ":" not in self.name:
            del set_fields["vendor"]  # it goes without saying
        if self.price is not None:
            set_fields["price"] = self.price.to_state()
        if self.fees:
            set_fields["fees"] = {kind: fee.to_state() for kind, fee in self.fees.items()}
        return set_fields


_FIELDS = tuple(each.name for each in fields(Model))


def unknown_field(field: str, known: Iterable[str]) -> InvalidInput:
    """The refusal of a field that there is not. What it holds may be a key: nothing repeats it."""
    return InvalidInput(field, "a field that nobody knows", f"known fields: {', '.join(known)}")


def check_address(field: str, address: str) -> None:
    """Refuses an address that is none; an empty one stands for another place's.

    Raises:
        InvalidInput: it begins with neither http:// nor https://.
    """
    if address and not address.startswith(("http://", "https://")):
        raise InvalidInput(field, address, "start it with http:// or https://")


def _check_searches(fees: object, vendor: str) -> None:
    """Refuses fees of what no model of a role does, as no tool that runs at its provider is sent.

    Raises:
        InvalidInput: with the remedy.
    """
    check_fees(fees)
    kinds = sorted(fees) if isinstance(fees, Mapping) else []
    if others := [kind for kind in kinds if kind != SEARCH]:
        remedy = f"leave it out: a role sends no such tool, and {SEARCH} is what models do unasked"
        raise InvalidInput("fees", others, remedy)
    if kinds and vendor != OPENAI:
        remedy = f"leave it out: of {vendor}, no request says how often a model may search unasked"
        raise InvalidInput("fees", kinds, remedy)


def _split_name(given: object, vendor: object) -> tuple[str, str]:
    """The vendor and the name of a model, as both were given.

    Raises:
        InvalidInput: no such vendor can be named.
    """
    name = validate.text("name", given, maximum=MODEL_NAME_MAX).strip()
    prefix, colon, bare = name.partition(":")
    stated = validate.any_string("vendor", vendor).strip()
    if not (colon or stated):
        return OPENAI, name
    known = _known_vendors()
    if _fold(stated) not in ("", *known):
        raise InvalidInput("vendor", vendor, f"use one of {_list(known)}")
    stated = known.get(_fold(stated), "")
    named = known.get(_fold(prefix), "") if colon else ""
    is_tagged = bool(TAG.match(bare)) and _fold(prefix) not in LANGCHAIN_VENDORS
    if named and stated in ("", named) and not is_tagged:
        return named, validate.text("name", bare).strip()
    if colon and not stated and (remedy := _vendor_remedy(prefix, bare, known)):
        raise InvalidInput("name", name, remedy)
    return stated or OPENAI, name


def _fold(vendor: str) -> str:
    return vendor.lower().replace("-", "_")


def _known_vendors() -> Mapping[str, str]:
    """Every name of a vendor, and the first one of the same vendor."""
    from thrifty.models.providers.vendors import named_vendors  # which need the settings

    return {name: vendor.names[0] for name, vendor in named_vendors().items()}


def _list(known: Mapping[str, str]) -> str:
    return ", ".join(sorted(set(known.values())))


def _vendor_remedy(prefix: str, bare: str, known: Mapping[str, str]) -> str:
    """What to do about a prefix that is meant to name a vendor; empty where it means none."""
    if _fold(prefix) in LANGCHAIN_VENDORS and _fold(prefix) not in known:
        remedy = f"use a model of {_list(known)}, or one that speaks OpenAI's protocol, "
        return f"{remedy}and name its server with base_url"
    if TAG.match(bare):
        return ""
    near = get_close_matches(_fold(prefix), known, n=1, cutoff=TYPED_WRONG)
    return f"did you mean {known[near[0]]}:{bare}?" if near else ""

"""What a deployment fixes, and the only reader of the environment.

| variable          | meaning                                                                   |
|-------------------|---------------------------------------------------------------------------|
| `OPENAI_API_KEY`  | the key; without it and without a server of one's own, thrifty is offline  |
| `OPENAI_BASE_URL` | an OpenAI-compatible server (vLLM, Ollama, a gateway); needs no key         |
| `THRIFTY_API`     | `responses` or `chat`; by default `responses`, `chat` for an own server    |
| `THRIFTY_CAP`     | `max_tokens` for a chat server that knows an output cap by that name only |
| `THRIFTY_PRICES`  | JSON, dollars per million tokens: `{"llama3": {"input": 0, "output": 0}}`  |
| `THRIFTY_HOME`    | the folder where the command line keeps runs; by default the user's data   |
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

from thrifty.budget import InvalidInput, validate
from thrifty.budget.money import exact_usd

Api = Literal["responses", "chat"]
CapField = Literal["max_completion_tokens", "max_tokens"]

PRICE_MAX = 1_000_000
PRICE_EXAMPLE = "TokenPrice(0.25, 2)"


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """What a model of one's own costs, in dollars per million tokens.

    A float counts as the shortest decimal that names it.

    Raises:
        InvalidInput: a price is no number from 0 to a million.
    """

    input_usd: Decimal
    output_usd: Decimal

    def __post_init__(self) -> None:
        for side in ("input_usd", "output_usd"):
            object.__setattr__(self, side, _usd_per_million(side, getattr(self, side)))


@dataclass(frozen=True, slots=True)
class Settings:
    """Where models are reached and what they cost."""

    api_key: str = field(default="", repr=False)
    """Sent to the server, and nowhere else: no state, log or receipt holds it."""
    base_url: str = ""
    """The server's address up to and with `/v1`; OpenAI's own when empty."""
    api: Api = "responses"
    """Which of the two OpenAI protocols the server speaks."""
    cap_field: CapField = "max_completion_tokens"
    """What Chat Completions calls the output cap; a server that does not know it ignores it."""
    prices: Mapping[str, TokenPrice] = field(default_factory=dict, hash=False)
    """Prices by model name; they win over the public price list."""

    def __post_init__(self) -> None:
        for name in ("api_key", "base_url"):
            validate.any_string(name, getattr(self, name))
        check_prices(self.prices)
        if self.base_url and not self.base_url.startswith(("http://", "https://")):
            remedy = "start it with http:// or https://"
            raise InvalidInput("base_url", self.base_url, remedy)
        validate.choice("api", self.api, get_args(Api))
        validate.choice("cap_field", self.cap_field, get_args(CapField))
        if self.api == "responses" and self.cap_field == "max_tokens":
            raise InvalidInput("cap_field", self.cap_field, "use it with api chat only")

    @property
    def is_offline(self) -> bool:
        """Whether no model can be reached."""
        return not (self.api_key or self.base_url)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Reads the variables named above.

        Raises:
            InvalidInput: a variable has a value that cannot be used.
        """
        given = os.environ if environ is None else environ

        def read(name: str, default: str = "") -> Any:
            return given.get(name, "").strip() or default

        base_url = read("OPENAI_BASE_URL")
        return cls(
            api_key=read("OPENAI_API_KEY"),
            base_url=base_url,
            # Servers of one's own seldom speak the Responses protocol.
            api=read("THRIFTY_API", "chat" if base_url else "responses"),
            cap_field=read("THRIFTY_CAP", "max_completion_tokens"),
            prices=read_prices(read("THRIFTY_PRICES", "{}")),
        )


def check_prices(prices: object) -> None:
    """Checks prices by model name.

    Raises:
        InvalidInput: they are no mapping, or a price is no `TokenPrice`.
    """
    example = f'{{"llama3": {PRICE_EXAMPLE}}}'
    for model, price in validate.instance("prices", prices, Mapping, example).items():
        validate.instance(f"prices.{model}", price, TokenPrice, PRICE_EXAMPLE)


def home_folder() -> Path:
    """Where the command line keeps its runs."""
    from platformdirs import user_data_path  # for the command line alone

    own = os.environ.get("THRIFTY_HOME", "").strip()
    return Path(own).expanduser() if own else user_data_path("thrifty", appauthor=False)


def read_prices(text: str) -> dict[str, TokenPrice]:
    """Prices by model name, from JSON.

    Raises:
        InvalidInput: the text is no JSON of that form, or a price is no number from 0 up.
    """
    try:
        given = json.loads(text, parse_float=Decimal, parse_int=Decimal)  # exact
    except (ValueError, RecursionError):
        remedy = 'write JSON such as {"llama3": {"input": 0, "output": 0}}'
        raise InvalidInput("THRIFTY_PRICES", text, remedy) from None
    if not isinstance(given, dict):
        raise InvalidInput("THRIFTY_PRICES", text, "write a JSON object with a model per name")
    return {model: _read_price(f"THRIFTY_PRICES.{model}", price) for model, price in given.items()}


def _read_price(field: str, given: Any) -> TokenPrice:
    sides = validate.record(field, given, ("input", "output"))
    return TokenPrice(
        *(_usd_per_million(f"{field}.{side}", sides.get(side)) for side in ("input", "output"))
    )


def _usd_per_million(field: str, price: object) -> Decimal:
    remedy = f"use dollars per million tokens, 0 to {PRICE_MAX:,}"
    return exact_usd(field, price, PRICE_MAX, remedy)

"""What a deployment fixes, and the only reader of the environment.

| variable             | meaning                                                                   |
|----------------------|---------------------------------------------------------------------------|
| `OPENAI_API_KEY`     | OpenAI's key; without any key and any server, thrifty is offline          |
| `OPENAI_BASE_URL`    | an OpenAI-compatible server (vLLM, Ollama, a gateway); needs no key       |
| `ANTHROPIC_API_KEY`… | the keys of other vendors: see `docs/models.md`                           |
| `THRIFTY_MODELS__…`  | a model by its role: `THRIFTY_MODELS__STRONG=gpt-5`; or a field of it:    |
|                      | `THRIFTY_MODELS__LOCAL__BASE_URL=http://127.0.0.1:11434/v1`               |
| `THRIFTY_API`        | `responses` or `chat`; by default `responses`, `chat` for an own server   |
| `THRIFTY_CAP_FIELD`  | `max_tokens` for a chat server that knows an output cap by that name only |
| `THRIFTY_PRICES`     | JSON, dollars per million tokens: `{"llama3": {"input": 0, "output": 0}}` |
| `THRIFTY_SETTINGS`   | the path of a TOML file with all of this but the key and its server       |
| `THRIFTY_HOME`       | the folder where the command line keeps runs; by default the user's data  |

Without `THRIFTY_SETTINGS`, the file is `thrifty.toml` in that folder. A variable wins over it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union, cast

from thrifty.budget import InvalidInput, validate
from thrifty.models.costs.token_price import TokenPrice, check_prices
from thrifty.models.roles.model import Model, check_address
from thrifty.models.wire.openai_protocol import Api, CapField, check_protocol

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

KEY_VARIABLE = "OPENAI_API_KEY"
"""Holds the key of models that speak OpenAI's protocol, and name no variable of their own."""
STRONG = "strong"
"""The role of options that name none."""
CHEAP = "cheap"
"""The role that is asked for proposals, where a deployment has it."""
STRONG_DEFAULT = Model("gpt-5")
CHEAP_DEFAULT = Model("gpt-5-mini")
ModelSource: TypeAlias = Union[str, Model, "BaseChatModel"]
"""What a model may be given as: its name, its description, or LangChain's own."""
ROLE_PATTERN = r"[a-z][a-z0-9_-]{0,39}"
ROLE_REMEDY = "use up to 40 lower-case letters, digits, - and _, a letter first"


@dataclass(frozen=True, slots=True)
class Settings:
    """Which models a deployment has, where they are reached and what they cost.

    Raises:
        InvalidInput: a field has a value that cannot be used.
    """

    api_key: str = field(default="", repr=False)
    """OpenAI's. Sent to the server below, and nowhere else: no state, log or receipt holds it."""
    base_url: str = ""
    """The server of OpenAI's models, and of those that speak its protocol and name no other, up to
    and with `/v1`; OpenAI's own when empty."""
    api: Api | None = None
    """Which of the two OpenAI protocols that server speaks: by default `responses` at OpenAI's,
    and `chat` elsewhere."""
    cap_field: CapField | None = None
    """What it calls the output cap of Chat Completions: by default, `max_completion_tokens`."""
    prices: Mapping[str, TokenPrice] = field(default_factory=dict, hash=False)
    """Prices by model name: of models that have none of their own here, and of those that your
    executors ask. They win over the public price list."""
    models: Mapping[str, ModelSource] = field(default_factory=dict, hash=False)
    """Models by role, such as `strong`, `cheap` and `local`, of any vendor: a name such as
    `anthropic:claude-haiku-4-5`, a `Model`, or a chat model of LangChain's. By default `gpt-5` and
    `gpt-5-mini`, at a server of one's own `gpt-5` alone."""
    is_offline: bool = False
    """Whether no model is asked, whatever could be reached."""

    def __post_init__(self) -> None:
        for name in ("api_key", "base_url"):
            validate.any_string(name, getattr(self, name))
        check_prices(self.prices)
        check_address("base_url", self.base_url)
        check_protocol(self.api or ("chat" if self.base_url else "responses"), self.cap_field)
        example = '{"strong": "gpt-5", "cheap": Model("gpt-5-mini")}'
        given = validate.instance("models", self.models, Mapping, example)
        models = {role: _read_model(role, model) for role, model in given.items()}
        object.__setattr__(self, "models", models)

    @property
    def models_by_role(self) -> Mapping[str, Model | BaseChatModel]:
        """The models that are given or, without any, the default ones."""
        if self.models:
            return cast("Mapping[str, Model | BaseChatModel]", self.models)
        # A server of one's own may have any models: a second name would be a second guess.
        return {STRONG: STRONG_DEFAULT} | ({} if self.base_url else {CHEAP: CHEAP_DEFAULT})

    @classmethod
    def from_environment(cls) -> Settings:
        """Reads the variables named above, and the file.

        Raises:
            InvalidInput: a variable or the file has a value that cannot be used.
        """
        from thrifty.settings_sources import read_sources  # pydantic: only when needed

        return cls(**read_sources())


def variable_in_environment(name: str) -> str:
    """The key or the address that a variable of the environment holds; empty without it."""
    return os.environ.get(name, "").strip()


def base_url_in_environment() -> str:
    """The address that OpenAI's own library takes where a client names none."""
    return variable_in_environment("OPENAI_BASE_URL")


def home_folder() -> Path:
    """Where the command line keeps its runs."""
    from platformdirs import user_data_path  # for the command line alone

    own = os.environ.get("THRIFTY_HOME", "").strip()
    return Path(own).expanduser() if own else user_data_path("thrifty", appauthor=False)


def settings_file() -> Path | None:
    """The file that settings are read from; None where there is none.

    It is never looked for in the folder where a program runs: that may be anybody's, and the file
    says where keys are sent.

    Raises:
        InvalidInput: `THRIFTY_SETTINGS` names no file.
    """
    named = os.environ.get("THRIFTY_SETTINGS", "").strip()
    path = Path(named).expanduser() if named else home_folder() / "thrifty.toml"
    if path.is_file():
        return path
    if named:
        raise InvalidInput("THRIFTY_SETTINGS", named, "name a TOML file that is there")
    return None


def _read_model(role: object, model: object) -> object:
    """A model as it is kept: a `Model`, or what LangChain made."""
    if not isinstance(role, str) or not re.fullmatch(ROLE_PATTERN, role):
        raise InvalidInput("models", role, ROLE_REMEDY)
    if isinstance(model, Model) or callable(getattr(model, "invoke", None)):
        return model
    return Model.read(f"models.{role}", model)

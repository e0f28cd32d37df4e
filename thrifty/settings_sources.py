"""Reads a deployment's settings from the environment and from a TOML file."""

import json
import os
from tomllib import TOMLDecodeError
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from thrifty.budget import InvalidInput
from thrifty.models.costs.token_price import read_price
from thrifty.models.roles.model import unknown_field
from thrifty.settings import KEY_VARIABLE, settings_file

PREFIX = "THRIFTY_"
JSON_EXAMPLES = {
    "models": '{"strong": "gpt-5", "cheap": {"name": "gpt-5-mini"}}',
    "prices": '{"llama3": {"input": 0, "output": 0}}',
}
"""What a variable may hold as JSON, by the field that it is for."""


class ServerVariables(BaseSettings):
    """What the environment alone may say: a key belongs in no file."""

    api_key: SecretStr = Field(SecretStr(""), validation_alias=KEY_VARIABLE)
    base_url: str = Field("", validation_alias="OPENAI_BASE_URL")


class SettingsSources(BaseSettings):
    """What both sources may say. What it means is checked by `Settings` and `Model`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True, extra="forbid"
    )

    api: str | None = None
    cap_field: str | None = None
    models: dict[str, Any] = {}
    prices: dict[str, Any] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, and then the file."""
        return env_settings, TomlConfigSettingsSource(settings_cls, settings_file())


def read_sources() -> dict[str, Any]:
    """The fields of `Settings` that the environment or the file gives.

    Raises:
        InvalidInput: a value cannot be read, or the file has a field that nobody knows.
    """
    try:
        server = ServerVariables()  # type: ignore[call-arg]  # the environment fills it
        sources = SettingsSources()
    except ValidationError as error:
        raise _refusal(error) from None
    except (SettingsError, RecursionError):
        raise _unreadable_variable() from None
    except (TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise InvalidInput(str(settings_file()), "no TOML", f"correct it: {error}") from None
    given = sources.model_dump(exclude_unset=True)
    for model, price in given.get("prices", {}).items():
        given["prices"][model] = read_price(f"prices.{model}", price)
    api_key = server.api_key.get_secret_value().strip()
    return {"api_key": api_key, "base_url": server.base_url.strip(), **given}


def _refusal(error: ValidationError) -> InvalidInput:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"][:2])
    if first["type"] == "extra_forbidden":
        return unknown_field(field, SettingsSources.model_fields)
    return InvalidInput(field, first["input"], first["msg"].replace("Input should", "it should", 1))


def _unreadable_variable() -> InvalidInput:
    """A variable that holds no JSON. pydantic names the field alone."""
    for field, example in JSON_EXAMPLES.items():
        variable = f"{PREFIX}{field.upper()}"
        text = os.environ.get(variable, "")
        try:
            json.loads(text or "{}")
        except (ValueError, RecursionError):
            return InvalidInput(variable, text, f"write JSON such as {example}")
    return InvalidInput(
        f"{PREFIX}MODELS", "no JSON", f"write JSON such as {JSON_EXAMPLES['models']}"
    )

"""The vendors whose models can be metered, and whose a model is."""

from collections.abc import Mapping
from typing import Any

from thrifty.models.providers.anthropic import AnthropicModel
from thrifty.models.providers.bedrock import BedrockModel
from thrifty.models.providers.deepseek import DeepSeekModel
from thrifty.models.providers.google import GoogleModel
from thrifty.models.providers.groq import GroqModel
from thrifty.models.providers.litellm import LiteLLMModel
from thrifty.models.providers.mistral import MistralModel
from thrifty.models.providers.ollama import OllamaModel
from thrifty.models.providers.openai import OpenAIModel
from thrifty.models.providers.openrouter import OpenRouterModel
from thrifty.models.providers.other import OtherModel
from thrifty.models.providers.refusals import unknown_model
from thrifty.models.providers.vendor import Vendor
from thrifty.models.providers.xai import XAIModel

VENDORS: tuple[type[Vendor], ...] = (
    *(DeepSeekModel, XAIModel, OpenAIModel),  # whose class the first two are made from
    *(AnthropicModel, BedrockModel, GoogleModel, GroqModel, MistralModel, OllamaModel),
    *(OpenRouterModel, LiteLLMModel),
    OtherModel,
)
"""The last takes whatever the others do not."""


def named_vendors() -> Mapping[str, type[Vendor]]:
    """The vendors by what stands before the colon of a model's name."""
    return {name: vendor for vendor in VENDORS for name in vendor.names}


def is_metered_kind(model: Any) -> bool:
    """Whether `metered` takes a model."""
    return _vendor_of(model) is not None


def no_tool_choice(model: Any) -> Any:
    """How a model is asked to call no tool of those that it is told of.

    Returns:
        The choice of a tool that says so. None where it need not be told of any.
    """
    vendor = _vendor_of(model)
    return None if vendor is None else vendor.declines_tools


def vendor_model(model: Any) -> Vendor:
    """A model, as its vendor's.

    Raises:
        InvalidInput: it is no chat model of a vendor that is known, or one that cannot be used.
    """
    if (vendor := _vendor_of(model)) is None:
        named = ", ".join(vendor.package for vendor in VENDORS[:-1])
        raise unknown_model(model, f"{named}, or any other with a field for its output cap")
    return vendor(model)


def is_cut(message: Any) -> bool:
    """Whether an answer of any vendor ends at its output cap."""
    said = message.response_metadata
    return any(
        said.get(field) in words for vendor in VENDORS for field, words in vendor.cut_words.items()
    )


def has_ended_early(message: Any) -> bool:
    """Whether an answer was cut, or broke off: then it has neither a count nor an end."""
    return is_cut(message) or not (message.usage_metadata or end_word(message))


def end_word(message: Any) -> str:
    """How an answer ended, in its vendor's word; empty where it did not end."""
    said = message.response_metadata
    ends = (said.get(field) for vendor in VENDORS for field in vendor.cut_words)
    return next((str(end) for end in ends if end), "")


def _vendor_of(model: Any) -> type[Vendor] | None:
    return next((vendor for vendor in VENDORS if vendor.takes(model)), None)

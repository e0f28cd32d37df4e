"""What the public price list calls a vendor, by how LangChain's models call it.

In the metadata of each call a model names its vendor, as `ls_provider`. Two vendors have models of
one name at two prices, so that a price is looked for at that vendor alone.
"""

from collections.abc import Mapping
from typing import Any

LISTED_AS: Mapping[str, str] = {
    "amazon_bedrock": "aws",
    "anthropic": "anthropic",
    "azure": "azure",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "google_genai": "google",
    "google_vertexai": "google",
    "groq": "groq",
    "litellm": "litellm",  # the list finds the vendor by the name of the model, as the library does
    "mistral": "mistral",
    "mistralai": "mistral",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together": "together",
    "xai": "x-ai",
}
"""By LangChain's name. Who is not here has no prices in the list, or nobody has looked."""
NOBODY = ""
"""What a vendor is called of whom the list knows nothing."""


def provider_of(told: Mapping[str, Any], serialized: Mapping[str, Any] | None) -> str:
    """How LangChain calls the vendor of a model.

    Args:
        told: the metadata of a call.
        serialized: what LangChain tells callbacks of the model. Where the metadata names nobody,
            as in `generate`, its class does, by the rule that LangChain has for that.
    """
    if told.get("ls_provider"):
        return str(told["ls_provider"])
    kind = str(["", *((serialized or {}).get("id") or ())][-1])
    return kind.removeprefix("Chat").removesuffix("Chat").removesuffix("LLM").lower()


def listed_as(provider: str) -> str:
    """What the public price list calls a vendor. Empty where it knows nothing of it.

    Args:
        provider: LangChain's name of it.
    """
    return LISTED_AS.get(provider.lower(), NOBODY)

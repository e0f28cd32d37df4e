"""The vendors that the suite asks."""

from tests.models.vendors import (
    anthropic,
    bedrock,
    deepseek,
    google,
    groq,
    litellm,
    mistral,
    ollama,
    openai,
    openrouter,
    other,
    xai,
)
from tests.models.vendors.vendor_case import VendorCase

CASES: tuple[VendorCase, ...] = (
    openai.CHAT,
    openai.RESPONSES,
    deepseek.DEEPSEEK,
    xai.XAI,
    anthropic.ANTHROPIC,
    google.GOOGLE,
    bedrock.BEDROCK,
    groq.GROQ,
    mistral.MISTRAL,
    ollama.OLLAMA,
    openrouter.OPENROUTER,
    litellm.LITELLM,
    other.OTHER,
)


ALWAYS = (openai.CHAT, anthropic.ANTHROPIC, ollama.OLLAMA)
"""One of each kind of protocol is asked always, the others with `--long`."""


def name(value: object) -> str | None:
    """How pytest calls a vendor's tests; None for anything else."""
    return value.name if isinstance(value, VendorCase) else None

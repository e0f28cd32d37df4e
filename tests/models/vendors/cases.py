"""The vendors that the suite asks."""

from tests.models.vendors import (
    anthropic,
    bedrock,
    deepseek,
    google,
    groq,
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
    other.OTHER,
)


def each(field: str) -> list[tuple[VendorCase, str]]:
    """Every vendor with each name in one of its tables."""
    return [(case, name) for case in CASES for name in getattr(case, field)]


def name(value: object) -> str | None:
    """How pytest calls a vendor's tests; None for anything else."""
    return value.name if isinstance(value, VendorCase) else None

"""What is assumed of answers before anything is known: priors, to be learned over.

A quality is the chance that an answer is right. The value of an answer is a hundred times that.
"""

from collections.abc import Mapping
from types import MappingProxyType

VALUE_MAX = 100.0
"""What an answer is worth that is right for certain."""

MODEL_QUALITIES: Mapping[str, float] = MappingProxyType(
    {"strong": 0.8, "cheap": 0.65, "local": 0.5}
)
"""By the role of a model."""
MODEL_QUALITY = 0.6
"""Of a model in any other role."""
EXECUTOR_QUALITY = 0.7
"""Of an executor that says that it can answer."""
TOOLS_GAIN = 0.3
"""The share of wrong answers that a model gets right with tools."""

INSTRUCTION_TOKENS = 180
"""What a request takes beside the conversation."""
OUTPUT_TOKENS = 400
"""The length of an answer, before any reasoning."""
CALL_MS = 300
TOKEN_MS = 3
"""A call takes the first, and each token that is written the second."""
SPREAD = 0.5
"""Nobody knows how long an answer will be."""

AGENT_CALLS = 4
"""What an agent with tools calls, models and tools together."""
AGENT_SPREAD = 0.6


def model_quality(role: str) -> float:
    """The chance that a model in this role answers rightly."""
    return MODEL_QUALITIES.get(role, MODEL_QUALITY)


def with_tools(quality: float) -> float:
    """The same with tools."""
    return quality + (1 - quality) * TOOLS_GAIN

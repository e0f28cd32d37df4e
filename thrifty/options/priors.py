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
QUALITY_MIN = 0.05
KIND_GAPS: Mapping[str, float] = MappingProxyType(
    {"code": 1.3, "reason": 1.3, "extract": 0.5, "translate": 0.5}
)
"""By kind of work, how much further a model is behind a strong one than in general."""
EXECUTOR_QUALITY = 0.7
"""Of an executor that says that it can answer, or was named to do a step."""
FITTING_QUALITY = 0.6
"""Of an executor that nobody named, and that fits."""
TIDY_QUALITY = 0.2
"""Of local code that tidies a draft, as a revision."""
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

TOKENS_PER_WORD = 1.5
"""Of a result."""

MODEL_KEPT, TOOL_KEPT = 0.95, 0.3
"""How much of a material's share its readers reach without it, by who makes it. A model knows by
itself most of what another model would tell it."""
SECTION_SHARE, REVISION_SHARE = 0.74, 0.06
"""Of the best result: the sections of a document together, and a revision of them. Sections are
written without a look at each other. In `benchmarks/tasks.md` two judges liked a report of 2,500
words a little less in sections than in one go, and at 0.94 it would have been planned."""
LENGTH_FREE, LENGTH_LONG, LENGTH_LONG_QUALITY, LENGTH_QUALITY_MIN = 700, 3_000, 0.8, 0.5
"""A text that is written in one go is as good as a short one up to the first length in tokens. At
the second one it has the third number's share of that, and by that slope ever less down to the
fourth."""
FURTHER_STEP_FEE = 1.0
"""What each further step of a model has to add to be worth its trouble."""
LOSS_RISK = 0.03
"""The chance that a section that has to be there fails for good, or can no longer be paid."""
TAKEOVER = 1.25
"""A direct answer that takes the place of sections has to be worth so many times what they are."""
THRIFT = 3.0
"""What a step has to add that takes all of a run's limits."""

AGENT_CALLS = 4
"""What an agent with tools calls, models and tools together."""
AGENT_SPREAD = 0.6


def model_quality(role: str, kind: str = "general") -> float:
    """The chance that a model in this role does work of a kind rightly."""
    best = max(MODEL_QUALITIES.values())
    behind = best - MODEL_QUALITIES.get(role, MODEL_QUALITY)
    return max(QUALITY_MIN, best - behind * KIND_GAPS.get(kind, 1.0))


def with_tools(quality: float) -> float:
    """The same with tools."""
    return quality + (1 - quality) * TOOLS_GAIN


def tokens_of(words: int) -> int:
    """How many tokens a result of so many words has."""
    return round(words * TOKENS_PER_WORD)


def length_quality(tokens: int) -> float:
    """What is left of the quality of a text that is written in one go, by its length."""
    slope = (1 - LENGTH_LONG_QUALITY) / (LENGTH_LONG - LENGTH_FREE)
    return max(LENGTH_QUALITY_MIN, 1 - slope * max(0, tokens - LENGTH_FREE))

"""How hard a model thinks: what its client is told, and how much it then writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REASONING_FACTORS = {"minimal": 1.2, "low": 1.5, "medium": 2.5, "high": 5.0}
"""How many tokens a model writes for each token of its answer, by effort. Priors."""
HARDEST_FACTOR = REASONING_FACTORS["high"]
"""The same of an effort that has no prior, such as `xhigh`."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """How hard a model thinks."""

    effort: str | None = None
    """In its vendor's word. None: nothing is said, and it is not known to think."""
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The arguments of its client that say so."""
    tokens: int = 0
    """How much of an answer's cap is set aside for thought."""

    @property
    def factor(self) -> float:
        """How many tokens it writes for each token of its answer."""
        if self.effort in (None, "none"):
            return 1.0
        return REASONING_FACTORS.get(str(self.effort), HARDEST_FACTOR)

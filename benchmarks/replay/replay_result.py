"""How a case ended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReplayResult:
    """What was reached under a budget, and at what price."""

    score: float = 0.0
    """Of the finished plan; zero when there is none, or when it was paid with more than was
    there."""
    spent_nano_usd: int = 0
    is_over: bool = False
    """Whether more was spent than the budget."""
    is_cut: bool = False
    """Whether it was ended where the budget was."""

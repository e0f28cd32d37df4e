"""Priors that are wrong, one at a time: how much do choices hang on them?"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from thrifty.options import priors


def _quality(role: str, change: float) -> dict[str, Any]:
    known = priors.MODEL_QUALITIES
    return {"MODEL_QUALITIES": {**known, role: round(known[role] + change, 2)}}


WRONG_PRIORS: Mapping[str, Mapping[str, Any]] = {
    "κ of tools 0.3 → 0.6": {"TOOL_KEPT": 0.6},
    "κ of models 0.95 → 0.8": {"MODEL_KEPT": 0.8},
    "strong 0.8 → 0.9": _quality("strong", 0.1),
    "strong 0.8 → 0.7": _quality("strong", -0.1),
    "cheap 0.65 → 0.75": _quality("cheap", 0.1),
    "cheap 0.65 → 0.55": _quality("cheap", -0.1),
    "lengths planned doubled": {
        "TOKENS_PER_WORD": 2 * priors.TOKENS_PER_WORD,
        "OUTPUT_TOKENS": 2 * priors.OUTPUT_TOKENS,
    },
}
"""What each row changes in `thrifty.options.priors`. Texts stay as long as they are."""


@contextmanager
def changed_priors(changes: Mapping[str, Any]) -> Iterator[None]:
    """The planner believes in other priors for a while."""
    with patch.multiple(priors, **changes):
        yield

"""The draft of a run that was interrupted."""

from collections.abc import Mapping, Sequence
from typing import Any

from thrifty.budget import Outcome, Step
from thrifty.executors.draft import compose


def partial_draft(known: Mapping[str, Any], steps: Sequence[Step]) -> str:
    """What the finished steps wrote, put together.

    Args:
        known: the state as far as it was streamed.
        steps: the catalog's.
    """
    proposed = [Step.from_state(step) for step in known.get("proposed", ())]
    outcomes = [Outcome.from_state(outcome) for outcome in known.get("outcomes", ())]
    return compose(outcomes, (*steps, *proposed))

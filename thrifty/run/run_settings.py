"""What a run's own settings say to the code that the nodes share."""

from typing import Protocol

from thrifty.steering.decide import OnDrift


class RunSettings(Protocol):
    """The fields of a run's context that are read here; it says what they mean."""

    model: str
    max_steps: int
    diversity_penalty: float
    max_concurrency: int
    risk: float
    on_drift: OnDrift

"""What a run's own settings say to the code that the nodes share."""

from typing import Protocol

from thrifty.planning.course import OnDrift


class RunSettings(Protocol):
    """The fields that are read here of a run's context."""

    @property
    def model(self) -> str:
        """The model of options that name none of their own."""

    @property
    def max_steps(self) -> int:
        """The most steps that a plan may have."""

    @property
    def diversity_penalty(self) -> float:
        """What two steps on one topic take off the value of a plan."""

    @property
    def max_concurrency(self) -> int:
        """How many independent steps may run at once."""

    @property
    def risk(self) -> float:
        """The chance, at most, that a plan outgrows a limit."""

    @property
    def on_drift(self) -> OnDrift:
        """What to do when the rest of the plan no longer fits."""

"""Whether a run can wait for a person."""

from langchain_core.runnables import RunnableConfig

CHECKPOINTER = "__pregel_checkpointer"
"""Where LangGraph keeps a run's checkpointer.

The name of a thread is no sign of one, as an Agent Server gives a thread to stateless runs too.
"""
NOBODY = "and nobody can be asked"


def can_interrupt(config: RunnableConfig) -> bool:
    """Whether the run is kept somewhere, so that it can be resumed after a person answered."""
    return config.get("configurable", {}).get(CHECKPOINTER) is not None

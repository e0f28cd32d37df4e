"""What a node reads of its run beside what it was sent.

`route` sends each executor a few names, and no copy of what they stand for: LangGraph would write
every copy into a checkpoint. So the executors' nodes read those channels themselves, as they were
when `route` had ended.
"""

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.runnables import RunnableConfig

from thrifty.run.facts import RunFacts

CHANNEL_READER = "__pregel_read"
"""Where LangGraph keeps the function by which a task reads channels."""
CHANNELS = ("outcomes", "proposed", "results")


def facts_of(sent: Mapping[str, Any], config: RunnableConfig) -> RunFacts:
    """The facts of a run that its executors need: what they were sent, and what they read."""
    read = config["configurable"][CHANNEL_READER]
    return cast(RunFacts, {**read(list(CHANNELS)), **sent})

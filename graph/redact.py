"""Keeps secrets out of what LangGraph writes down of a run's configuration.

It copies every text in `configurable` into the metadata of each checkpoint and each trace. The
agent reads no secret from there, so that what looks like one is left out before the run.
"""

from typing import Any

from langchain_core.runnables import RunnableConfig

from thrifty.budget.secret_names import is_secret


def redact(config: RunnableConfig | None) -> RunnableConfig | None:
    """The configuration without the texts whose names say that they are secret."""
    if config is None or not config.get("configurable"):
        return config
    kept = {name: value for name, value in config["configurable"].items() if _is_kept(name, value)}
    return {**config, "configurable": kept}


def _is_kept(name: str, value: Any) -> bool:
    # Such keys are LangGraph's own, and what it put there it needs.
    return name.startswith("__") or not (isinstance(value, str) and is_secret(name, value))

"""Facts for LangChain's tracers, LangSmith's among them: as metadata of the run that they keep."""

from typing import Any

from thrifty.models.tracing.spans import AddFacts, Facts


def run_metadata(manager: Any, run_id: Any) -> AddFacts | None:
    """Who takes facts for a run that is under way; None where no tracer keeps it.

    Args:
        manager: the callback manager whose handlers were told of the run.
        run_id: the run's.
    """
    extras: list[dict[str, Any]] = []
    for handler in getattr(manager, "handlers", None) or ():
        run = getattr(handler, "run_map", {}).get(str(run_id))
        if isinstance(extra := getattr(run, "extra", None), dict):
            extras.append(extra)
    if not extras:
        return None

    def add_facts(facts: Facts) -> None:
        for extra in extras:
            # Anew, as the mapping that is there may be that of other runs as well.
            extra["metadata"] = {**(extra.get("metadata") or {}), **facts}

    return add_facts

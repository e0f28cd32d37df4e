"""The one door to LangChain's tracers, LangSmith's among them: facts as metadata of a run."""

from collections.abc import Sequence
from typing import Any

from thrifty.models.spans import Facts, Tell


def run_teller(manager: Any, run_id: Any) -> Tell | None:
    """Who takes facts for a run that is under way; None where no tracer keeps it.

    Args:
        manager: the callback manager whose handlers were told of the run.
        run_id: the run's.
    """
    handlers: Sequence[Any] = getattr(manager, "handlers", None) or ()
    kept: list[Any] = [getattr(handler, "run_map", {}).get(str(run_id)) for handler in handlers]
    extras = [run.extra for run in kept if isinstance(getattr(run, "extra", None), dict)]
    if not extras:
        return None

    def tell(facts: Facts) -> None:
        for extra in extras:
            # Anew, as the mapping that is there may be that of other runs as well.
            extra["metadata"] = {**(extra.get("metadata") or {}), **facts}

    return tell

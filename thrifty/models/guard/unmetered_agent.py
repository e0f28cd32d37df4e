"""Says once of an agent's model that it cannot be metered, and what that means."""

import logging
from functools import cache

logger = logging.getLogger(__name__)

RULES = (
    "%s has no field for a cap that thrifty could set: its calls are held by the callback guard, "
    "at the cap that it sends, or at all that is left where it sends none; give it a small one"
)


@cache
def warn_of_unmetered(kind: str) -> None:
    """Warns of a class of models, once in a process.

    Args:
        kind: its name.
    """
    logger.warning(RULES, kind)

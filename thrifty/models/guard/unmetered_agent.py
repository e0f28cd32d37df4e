"""Says once of an agent's model that no vendor's facts are known of it, and what that means."""

import logging
from functools import cache

logger = logging.getLogger(__name__)

RULES = (
    "%s is of no vendor that thrifty meters: its calls are held by the callback guard, at the cap "
    "that it sends itself, or at all that is left where it sends none; give it a small max_tokens"
)


@cache
def warn_of_unmetered(kind: str) -> None:
    """Warns of a class of models, once in a process.

    Args:
        kind: its name.
    """
    logger.warning(RULES, kind)

"""Another model answered than was asked, as where a gateway falls back on one that is up."""

import json
import logging
import re
from functools import lru_cache
from typing import Any

logger = logging.getLogger(__name__)

ASKED_MODEL = "asked_model"
"""Where a message says which model was asked, if another has answered."""
DATE = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8})$")
"""How a model's name ends that names one state of it: `gpt-4o-2024-08-06`."""
TOLD_MAX = 1_000
"""Of so many pairs of names it is known that they were told."""


def is_same_model(asked: str, answered: str) -> bool:
    """Whether two names are one model's, or a server did not say who answered.

    A date at its end and a vendor before it make no other model of it.
    """
    return not answered or asked == answered or _bare_name(asked) == _bare_name(answered)


def note_substitute(message: Any, asked: str, answered: str) -> None:
    """Says that another model answered: in the log, once for two names, and in the answer."""
    named = {ASKED_MODEL: asked, "model_name": answered}
    message.response_metadata = {**message.response_metadata, **named}
    warn_of_substitute(asked, answered)


@lru_cache(TOLD_MAX)
def warn_of_substitute(asked: str, answered: str) -> None:
    """Says so in the log, once for two names."""
    logger.warning(
        "%s answered where %s was asked: such calls are charged at the dearer price of the two. "
        "If %s costs something else with you, name its price in `prices`.",
        *(answered, asked, answered),
    )


def describe_substitute(answer: str) -> str:
    """Who answered in whose place, in words, by an answer as the ledger keeps it.

    Returns:
        Nothing where the model did that was asked, or where it is no model's answer.
    """
    if f'"{ASKED_MODEL}"' not in answer:  # a text may have the word, and most have not
        return ""
    try:
        kept = json.loads(answer)
        told = kept["response_metadata"]
        return f"{told['model_name']} answered where {told[ASKED_MODEL]} was asked"
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _bare_name(model: str) -> str:
    return DATE.sub("", model.rpartition("/")[2].casefold())

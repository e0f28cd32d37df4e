"""How long an answer is to be, as a person says it."""

from thrifty.budget import validate
from thrifty.options.decomposition import TASK_WORDS_MAX


def read_words(given: object) -> int | None:
    """How long an answer is to be, in words. None where nobody said.

    Raises:
        InvalidInput: it is no number of words.
    """
    if given is None:
        return None
    return validate.amount("words", given, minimum=1, maximum=TASK_WORDS_MAX)

"""How long answers have been, by who wrote them and what for: what is enough for most of them.

An answer that was cut says only that it would have been longer. So the share of answers that are
longer than a length is estimated as the share of patients that live longer than a time is, of whom
some are lost from sight: E. L. Kaplan, P. Meier, "Nonparametric estimation from incomplete
observations", Journal of the American Statistical Association 53 (1958).
"""

from collections import OrderedDict, deque
from threading import Lock
from typing import NamedTuple

ANSWERS_MIN = 10
"""Fewer answers say nothing of the next one."""
ANSWERS_MAX = 200
"""Of one kind: the newest say most of how it is now."""
KINDS_MAX = 1_000
"""Of so many kinds lengths are known. Those that were not heard of for longest are forgotten."""
ROUNDING = 1e-9


class AnswerKind(NamedTuple):
    """Answers that are about as long as each other."""

    address: str
    """Where the model is asked."""
    model: str
    label: str
    """What the calls are for, as the bill names it."""


class _Length(NamedTuple):
    """One answer. Of those that are as long, a whole one is the lesser."""

    tokens: int
    is_cut: bool


class OutputLengths:
    """The lengths of answers, in tokens."""

    def __init__(self) -> None:
        self._known: OrderedDict[AnswerKind, deque[_Length]] = OrderedDict()
        self._lock = Lock()

    def note(self, kind: AnswerKind, tokens: int, *, is_cut: bool) -> None:
        """Takes note of an answer.

        Args:
            kind: whose it is.
            tokens: how long it is, with all that the model has thought.
            is_cut: whether it would have been longer.
        """
        with self._lock:
            lengths = self._known.setdefault(kind, deque(maxlen=ANSWERS_MAX))
            lengths.append(_Length(tokens, is_cut))
            self._known.move_to_end(kind)
            if len(self._known) > KINDS_MAX:
                self._known.popitem(last=False)

    def quantile(self, kind: AnswerKind, share: float) -> int | None:
        """The length that so large a share of answers does not pass.

        Returns:
            The length in tokens. None where too few answers are known, or too many were cut.
        """
        with self._lock:
            lengths = sorted(self._known.get(kind, ()))
        return None if len(lengths) < ANSWERS_MIN else _quantile(lengths, share)

    def clear(self) -> None:
        """Forgets all."""
        with self._lock:
            self._known.clear()


def _quantile(lengths: list[_Length], share: float) -> int | None:
    longer = 1.0
    for as_long, length in zip(range(len(lengths), 0, -1), lengths, strict=True):
        if not length.is_cut:
            longer *= 1 - 1 / as_long
            if longer <= 1 - share + ROUNDING:
                return length.tokens
    return None


output_lengths = OutputLengths()
"""Of this process."""

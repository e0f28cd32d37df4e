"""What an invocation has read of its run, so that no node reads again what another has read.

LangGraph hands the very same objects from node to node, and lists that grow are only added to.
Nothing is known by a cache alone: whoever has an empty one reads everything, and comes to the
same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Any, Generic, TypeVar, cast

from thrifty.budget import Outcome
from thrifty.budget.plain_data import PlainData
from thrifty.budget.states import OutcomeState

T = TypeVar("T")
Plain = TypeVar("Plain")
Noun = TypeVar("Noun", bound=PlainData[Any])


class RunCache:
    """Of one run, for as long as one invocation drives it."""

    def __init__(self) -> None:
        self._lock = RLock()  # steps side by side ask one cache
        self._forget()

    def _forget(self) -> None:
        self.outcomes: list[Outcome] = []
        """What was tried so far, in the order in which it ended."""
        self.finished: set[str] = set()
        """The steps that have left something for the draft."""
        self.texts: dict[str, Outcome] = {}
        """By its step, the attempt whose text counts: of several, the last."""
        self.text_counts: Counter[str] = Counter()
        """By its step, how many attempts have left a text."""
        self.failures: list[Outcome] = []
        """What was tried in vain, or could not be tried."""
        self.message_ids: dict[str, str] = {}
        """By option, the id of the message as which a model wrote its text in this invocation."""
        self._last: OutcomeState | None = None
        self._objects: dict[int, tuple[object, object]] = {}
        """By the identity of plain data: the data itself, and the object that it stands for."""
        self._computed: dict[str, tuple[object, Any]] = {}

    def write(self, noun: PlainData[Plain]) -> Plain:
        """An object as plain data, which `read` knows again as long as nobody copies it."""
        state = noun.to_state()
        self._objects[id(state)] = state, noun
        return state

    def write_all(self, nouns: Iterable[PlainData[Plain]]) -> list[Plain]:
        """Several objects as plain data."""
        return [self.write(noun) for noun in nouns]

    def read(self, kind: type[Noun], state: object) -> Noun:
        """The object that plain data stands for. It is read only if nobody read or wrote it here.

        Raises:
            InvalidInput: the data is not what such an object turns into.
        """
        known, noun = self._objects.get(id(state), (None, None))
        if known is not state:  # the place of an object that is gone may be taken by another
            noun = kind.from_state(state)
            self._objects[id(state)] = state, noun
        return cast(Noun, noun)

    def update(self, states: Sequence[OutcomeState]) -> RunCache:
        """Takes in the outcomes of the state. Only those that are new are read."""
        with self._lock:
            known = len(self.outcomes)
            if known and (known > len(states) or states[known - 1] is not self._last):
                self._forget()  # another history: nothing of it is known
                known = 0
            for state in states[known:]:
                self._add(self.read(Outcome, state))
                self._last = state
        return self

    def _add(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        if outcome.has_text:
            self.finished.add(outcome.step)
            self.texts[outcome.step] = outcome
            self.text_counts[outcome.step] += 1
        if outcome.status in ("failed", "skipped", "unknown"):
            self.failures.append(outcome)

    def compute_once(self, name: str, inputs: object, compute: Callable[[], T]) -> T:
        """Computes something from inputs, and anew when they are no longer equal."""
        known = self._computed.get(name)
        # Compared and not looked up, as inputs may hold lists.
        if known is None or known[0] != inputs:
            known = self._computed[name] = inputs, compute()
        result: T = known[1]
        return result

    def forget(self, name: str) -> None:
        """Has something computed anew, though its inputs are the same."""
        self._computed.pop(name, None)

    def accumulate(
        self,
        name: str,
        inputs: object,
        make: Callable[[], T],
        add: Callable[[T, Sequence[Outcome]], None],
    ) -> T:
        """Computes something once, and adds to it each outcome that it does not know yet."""
        with self._lock:
            growing = self.compute_once(name, inputs, lambda: _Growing(make()))
            add(growing.value, self.outcomes[growing.known :])
            growing.known = len(self.outcomes)
            return growing.value


@dataclass(slots=True)
class _Growing(Generic[T]):
    value: T
    known: int = 0
    """How many outcomes are in it."""

"""What an invocation has read of its run, so that no node reads again what another has read.

LangGraph hands the very same objects from node to node, and lists that grow are only added to.
Nothing is known by a cache alone: whoever has an empty one reads everything, and comes to the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from thrifty.budget import Outcome, Spend, Step
from thrifty.budget.plain_data import PlainData
from thrifty.budget.states import OutcomeState
from thrifty.executors.draft import Draft
from thrifty.steering.forecast import Bill, BillSummary, Forecaster, summarise_bill
from thrifty.steering.remaining import RemainingPlan

T = TypeVar("T")
State = TypeVar("State")
Noun = TypeVar("Noun", bound=PlainData[Any])


class RunCache:
    """Of one run, for as long as one invocation drives it."""

    def __init__(self) -> None:
        self.outcomes: tuple[Outcome, ...] = ()
        """What was tried so far, in the order in which it ended."""
        self.finished: set[str] = set()
        """The steps that have left something for the draft."""
        self.failures: list[Outcome] = []
        """What was tried in vain, or could not be tried."""
        self.stopped: dict[str, Spend] = {}
        """By option, what attempts were charged that were stopped and may be made again."""
        self._last: OutcomeState | None = None
        self._objects: dict[int, tuple[object, object]] = {}
        """By the identity of plain data: the data itself, and the object that it stands for."""
        self._observed: tuple[Forecaster, int] | None = None
        self._draft: tuple[Draft, int] | None = None
        self._remaining: tuple[RemainingPlan, int] | None = None
        self._computed: dict[str, tuple[object, Any]] = {}

    def write(self, noun: PlainData[State]) -> State:
        """An object as plain data, which `read` knows again as long as nobody copies it."""
        state = noun.to_state()
        self._objects[id(state)] = state, noun
        return state

    def write_all(self, nouns: Iterable[PlainData[State]]) -> list[State]:
        """Several objects as plain data."""
        return [self.write(noun) for noun in nouns]

    def read(self, kind: type[Noun], state: object) -> Noun:
        """The object that plain data stands for; read only if it was neither read nor written here.

        Raises:
            InvalidInput: the data is not what such an object turns into.
        """
        known, noun = self._objects.get(id(state), (None, None))
        if known is not state:  # the place of an object that is gone may be taken by another
            noun = kind.from_state(state)
            self._objects[id(state)] = state, noun
        return cast(Noun, noun)

    def update(self, states: Sequence[OutcomeState]) -> RunCache:
        """Takes in the outcomes of the state; only those that are new are read."""
        known = len(self.outcomes)
        if known and (known > len(states) or states[known - 1] is not self._last):
            self.__init__()  # type: ignore[misc]  # another history: nothing of it is known
            known = 0
        if states[known:]:
            self._last = states[-1]
            self._add([self.read(Outcome, state) for state in states[known:]])
        return self

    def _add(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes += tuple(outcomes)
        self.finished.update(outcome.step for outcome in outcomes if outcome.has_text)
        self.failures += [o for o in outcomes if o.status in ("failed", "skipped")]
        for outcome in outcomes:
            if outcome.status == "stopped":
                before = self.stopped.get(outcome.option.name, Spend())
                self.stopped[outcome.option.name] = before + outcome.actual

    def observed_bills(
        self, bills_of: Callable[[Iterable[Outcome]], Iterable[Bill]], known: Iterable[BillSummary]
    ) -> Forecaster:
        """What the outcomes so far came to, added to what was known when the run began."""
        observed, counted = self._observed or (Forecaster(known), 0)
        # The same object grows, since it keeps what it has worked out for each step.
        for bill in bills_of(self.outcomes[counted:]):
            observed.add(summarise_bill(bill))
        self._observed = observed, len(self.outcomes)
        return observed

    def remaining_plan(
        self, inputs: object, compute: Callable[[], RemainingPlan], steps: Mapping[str, Step]
    ) -> RemainingPlan:
        """What the outcomes so far have left of a plan; computed anew when the inputs change."""
        remaining = self.compute_once("remaining plan", inputs, compute)
        known, counted = self._remaining or (None, 0)
        if remaining is known:
            for outcome in self.outcomes[counted:]:
                if outcome.has_text:
                    remaining.mark_done(steps[outcome.step])
        self._remaining = remaining, len(self.outcomes)
        return remaining

    def draft(self, steps_in_order: Callable[[], Sequence[Step]]) -> Draft:
        """What the outcomes so far have written."""
        draft, written = self._draft or (Draft(steps_in_order()), 0)
        draft.add(self.outcomes[written:])
        self._draft = draft, len(self.outcomes)
        return draft

    def compute_once(self, name: str, inputs: object, compute: Callable[[], T]) -> T:
        """Computes something from inputs, and anew when they are no longer equal."""
        known = self._computed.get(name)
        # Compared and not looked up, as inputs may hold lists.
        if known is None or known[0] != inputs:
            known = self._computed[name] = inputs, compute()
        result: T = known[1]
        return result

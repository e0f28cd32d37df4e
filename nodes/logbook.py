"""What an invocation has read of its run, so that no node reads again what another has read.

LangGraph hands the very same objects from node to node, and lists that grow are only added to.
Nothing is known by a logbook alone: whoever has an empty one reads everything, and comes to the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from typing_extensions import TypedDict

from thrifty.budget import Outcome, Plan, Spend, Step
from thrifty.budget.states import OutcomeState, PlanState
from thrifty.executors.draft import Draft
from thrifty.nodes.state import Run
from thrifty.planning.forecast import Bill, Seen, Tally, tally_of
from thrifty.planning.rest import Rest

T = TypeVar("T")


class Known(TypedDict):
    """The part of the state that a logbook is about."""

    run: Run
    outcomes: list[OutcomeState]


class Logbook:
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
        self._plan: tuple[PlanState, Plan] | None = None
        self._seen: tuple[Seen, int] | None = None
        self._draft: tuple[Draft, int] | None = None
        self._rest: tuple[Rest, int] | None = None
        self._made: dict[str, tuple[object, Any]] = {}

    def reading(self, states: Sequence[OutcomeState]) -> Logbook:
        """The same, of all these outcomes; only those that are new are read."""
        known = len(self.outcomes)
        if known and (known > len(states) or states[known - 1] is not self._last):
            self.__init__()  # type: ignore[misc]  # another history: nothing of it is known
            known = 0
        if states[known:]:
            new = [Outcome.from_state(state) for state in states[known:]]
            self.outcomes += tuple(new)
            self._last = states[-1]
            self.finished.update(outcome.step for outcome in new if outcome.has_text)
            for outcome in new:
                if outcome.status == "stopped":
                    before = self.stopped.get(outcome.option.name, Spend())
                    self.stopped[outcome.option.name] = before + outcome.actual
            self.failures += [o for o in new if o.status in ("failed", "skipped")]
        return self

    def plan(self, state: PlanState) -> Plan:
        """The plan in force."""
        if self._plan is None or self._plan[0] is not state:
            self._plan = state, Plan.from_state(state)
        return self._plan[1]

    def seen(
        self, bills_of: Callable[[Iterable[Outcome]], Iterable[Bill]], known: Iterable[Tally]
    ) -> Seen:
        """What the outcomes so far came to, added to what was known when the run began."""
        seen, counted = self._seen or (Seen(known), 0)
        for bill in bills_of(self.outcomes[counted:]):
            seen.add(tally_of(bill))
        self._seen = seen, len(self.outcomes)
        return seen

    def rest(self, facts: object, make: Callable[[], Rest], steps: Mapping[str, Step]) -> Rest:
        """What the outcomes so far have left of a plan; made of facts, and anew with them."""
        rest = self.once("rest", facts, make)
        known, counted = self._rest or (None, 0)
        if rest is known:
            for outcome in self.outcomes[counted:]:
                if outcome.has_text:
                    rest.finish(steps[outcome.step])
        self._rest = rest, len(self.outcomes)
        return rest

    def draft(self, steps_in_order: Callable[[], Sequence[Step]]) -> Draft:
        """What the outcomes so far have written."""
        draft, written = self._draft or (Draft(steps_in_order()), 0)
        draft.add(self.outcomes[written:])
        self._draft = draft, len(self.outcomes)
        return draft

    def once(self, what: str, facts: object, make: Callable[[], T]) -> T:
        """Makes something of facts, and anew when they are no longer equal."""
        found = self._made.get(what)
        if found is None or found[0] != facts:
            found = self._made[what] = facts, make()
        made: T = found[1]
        return made

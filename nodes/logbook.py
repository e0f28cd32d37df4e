"""What an invocation has read of its run, so that no node reads again what another has read.

LangGraph hands the very same objects from node to node, and lists that grow are only added to.
Nothing is known by a logbook alone: whoever has an empty one reads everything, and comes to the
same.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from thrifty.budget import Outcome, Plan
from thrifty.budget.outcome import OutcomeState
from thrifty.budget.plan import PlanState
from thrifty.planning.forecast import Bill, Seen, Tally, tally_of

T = TypeVar("T")


class Logbook:
    """Of one run, for as long as one invocation drives it."""

    def __init__(self) -> None:
        self._outcomes: list[Outcome] = []
        self._last: OutcomeState | None = None
        self._plan: tuple[PlanState, Plan] | None = None
        self._seen: tuple[Seen, int] | None = None
        self._made: dict[str, tuple[object, Any]] = {}

    def outcomes(self, states: Sequence[OutcomeState]) -> tuple[Outcome, ...]:
        """Every outcome so far; only those that are new are read."""
        known = len(self._outcomes)
        if known and (known > len(states) or states[known - 1] is not self._last):
            self.__init__()  # type: ignore[misc]  # another history: nothing of it is known
            known = 0
        if new := states[known:]:
            self._outcomes += map(Outcome.from_state, new)
            self._last = new[-1]
        return tuple(self._outcomes)

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
        for bill in bills_of(self._outcomes[counted:]):
            seen.add(tally_of(bill))
        self._seen = seen, len(self._outcomes)
        return seen

    def once(self, what: str, facts: object, make: Callable[[], T]) -> T:
        """Makes something of facts, and anew when they are no longer equal."""
        found = self._made.get(what)
        if found is None or found[0] != facts:
            found = self._made[what] = facts, make()
        made: T = found[1]
        return made

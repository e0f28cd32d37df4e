"""Picks the steps that are ready, reserves their worst case, and hands them to their executors."""

from collections.abc import Iterator
from typing import Any

from langgraph.runtime import Runtime

from thrifty.budget import (
    Budget,
    BudgetExceeded,
    Outcome,
    Plan,
    PriceUnknown,
    Spend,
    Step,
    StepOption,
    total,
)
from thrifty.budget.decision import Decision
from thrifty.budget.plan import PlanState
from thrifty.executors.draft import compose, excerpt, revisable
from thrifty.executors.registry import LLM
from thrifty.executors.worst_case import worst_case
from thrifty.models.metered import attempt_key
from thrifty.models.tokens import tokens_bound
from thrifty.nodes.context import Context
from thrifty.nodes.outlook import Facts, all_steps, outlook, terms_of
from thrifty.nodes.services import Services
from thrifty.nodes.state import Assignment
from thrifty.planning.course import remaining
from thrifty.planning.wave import ready_wave

DRAFT_SHARE = 4
"""A section may spend a quarter of its reservation on reading what is there already."""
PROMPT_TOKENS = 250
"""Room for the words of a prompt itself."""
REVISION_FACTOR = 2.3
"""A revision reads its draft and writes it again, perhaps a little longer."""


class Routed(Facts):
    """What this node reads."""

    plan: PlanState


def route(state: Routed, runtime: Runtime[Context], *, services: Services) -> dict[str, Any]:
    """Sends the next wave; what no longer fits is downgraded, or skipped with its reason."""
    context = Context.of(runtime.context)
    outcomes = [Outcome.from_state(outcome) for outcome in state["outcomes"]]
    steps = all_steps(state, services)
    finished = {outcome.step for outcome in outcomes if outcome.has_text}
    rest = remaining(Plan.from_state(state["plan"]), outcomes)
    ready = ready_wave(rest, steps, finished, context.max_concurrency)
    menu = {step.name: step for step in outlook(state, context, services)[0].steps}
    desk = _Desk(state, context, services, compose(outcomes, steps))
    for place, option in enumerate(ready):
        step = menu.get(option.step, Step(option.step, (option,)))
        desk.place(option, step, total(later.estimate for later in ready[place + 1 :]))
    return {
        "wave": desk.wave,
        "outcomes": [outcome.to_state() for outcome in desk.skipped],
        "decisions": [decision.to_state() for decision in desk.decisions],
    }


class _Desk:
    """Places options one after another, each in what the ones before it left."""

    def __init__(self, state: Routed, context: Context, services: Services, draft: str) -> None:
        self.wave: list[Assignment] = []
        self.skipped: list[Outcome] = []
        self.decisions: list[Decision] = []
        self._state, self._services = state, services
        self._run_id = state["run"]["id"]
        self._terms = terms_of(state["run"], context, services)
        self._draft = draft

    def place(self, wanted: StepOption, step: Step, kept: Spend) -> None:
        """Reserves for the wanted option or, where it does not fit, for the best that does.

        Args:
            wanted: what the plan says.
            step: its step, with what can take its place.
            kept: what the rest of the wave is to find when its turn comes.
        """
        refusal = ""
        for option in _alternatives(wanted, step):
            try:
                assignment = self._assign(option, step, kept)
            except (BudgetExceeded, PriceUnknown) as error:
                refusal = refusal or str(error)
                continue
            if option is not wanted:
                self._note("downgrade", f"{step.name} moved to {option.name!r}: {refusal}")
            self.wave.append(assignment)
            return
        self._note("skip", f"{step.name} was skipped: {refusal}")
        self.skipped.append(Outcome(wanted, "skipped", reason=refusal))

    def _assign(self, option: StepOption, step: Step, kept: Spend) -> Assignment:
        """Reserves the worst case; what may be read of the draft follows from it."""
        left = self._left().left_after(kept)
        most = worst_case(option, left, self._terms.model_of(option), self._terms.prices)
        readable, untouched = self._readable(option, step, most)
        key = attempt_key(self._key(option), 1)
        held = self._services.ledger.reserve(self._run_id, key, option.name, most).reserved
        return Assignment(
            option=option.to_state(),
            key=self._key(option),
            reserved=held.to_state(),
            draft=readable,
            untouched=untouched,
            revises=step.role == "revision",
        )

    def _readable(self, option: StepOption, step: Step, most: Spend) -> tuple[str, str]:
        """What the executor may read of the draft, and what a revision leaves as it is.

        Raises:
            BudgetExceeded: not even the first section could be revised.
        """
        if step.role == "section":
            return excerpt(self._draft, most.tokens // DRAFT_SHARE), ""
        if option.executor != LLM:
            return self._draft, ""

        def count(text: str) -> int:
            return tokens_bound(text, self._terms.model_of(option))

        prompt_tokens = PROMPT_TOKENS + count(self._state["run"]["task"])
        room = round((most.tokens - prompt_tokens) / REVISION_FACTOR)
        part, rest = revisable(self._draft, room, count)
        if self._draft and not part:
            raise BudgetExceeded({"tokens": count(self._draft) - max(0, room)}, option.name)
        return part, rest

    def _key(self, option: StepOption) -> str:
        return f"{self._run_id}/{self._state['revision']}/{option.name}"

    def _left(self) -> Budget:
        return self._services.left(self._run_id, self._state["spend"]["latency_ms"])

    def _note(self, kind: Any, reason: str) -> None:
        at_ms = self._services.clock.active_ms(self._run_id, self._state["spend"]["latency_ms"])
        self.decisions.append(Decision(kind, reason, at_ms))


def _alternatives(wanted: StepOption, step: Step) -> Iterator[StepOption]:
    """What the plan wants, then the other ways to do the step, the most valuable first."""
    yield wanted
    others = [option for option in step.options if option.name != wanted.name]
    yield from sorted(others, key=lambda option: (-option.value, option.name))

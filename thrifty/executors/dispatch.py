"""Hands out work: a reservation for each option that is ready, or for what can stand in for it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from thrifty.budget import (
    Budget,
    BudgetExceeded,
    Outcome,
    PriceUnknown,
    Spend,
    Step,
    StepOption,
    total_spend,
)
from thrifty.executors.draft import Draft, fitting_excerpt, split_revisable
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.protocol import Work
from thrifty.executors.registry import LLM
from thrifty.executors.step_limit import step_limit
from thrifty.ledger.idempotent_calls import call_key, earlier_limit
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import AccountOrLease

DRAFT_READING_DIVISOR = 4
"""A section may spend a quarter of its reservation on reading what is there already."""
PROMPT_TOKENS = 250
"""Room for the words of a prompt itself."""
REVISION_FACTOR = 2.3
"""A revision reads its draft and writes it again, perhaps a little longer."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Work for an executor, and what was reserved for it."""

    work: Work
    reserved: Spend
    untouched: str = ""
    """What follows in the draft and is too long to be revised as well."""


Refusal = BudgetExceeded | PriceUnknown


class Move(NamedTuple):
    """A step that another option does than the plan said."""

    wanted: StepOption
    option: StepOption
    refusal: Refusal
    """Why it is not the wanted one."""


@dataclass(frozen=True, slots=True)
class DispatchResult:
    """What became of the options that were ready."""

    assignments: tuple[Assignment, ...]
    moves: tuple[Move, ...]
    """Which steps another option does than the plan said."""
    skipped: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Reserves for the options of a run that are ready, and assigns them."""

    ledger: Ledger
    account: AccountOrLease
    key_of: Callable[[StepOption], str]
    """Names the work on an option in the account. No key names the revision of a plan: a run that
    begins again after a crash comes to the same work by other plans, as it has spent more."""
    task: str
    draft: Draft
    """What was written so far."""
    model_access: ModelAccess
    left: Callable[[], Budget]
    """What can still be reserved, and the latency that is left, now."""
    catalog: Mapping[str, StepOption]
    """By name, every option as its catalog declares it: executors get that, not a forecast."""
    kept_back: Spend = Spend()
    """What later steps need, such as a final revision: no step before them may reserve it."""

    def dispatch(
        self, ready: Sequence[StepOption], steps_by_name: Mapping[str, Step]
    ) -> DispatchResult:
        """Reserves for one option after another, each in what the ones before it left.

        Args:
            ready: what the plan wants to start now.
            steps_by_name: the steps with what can take the place of an option.
        """
        assignments: list[Assignment] = []
        moves: list[Move] = []
        skipped: list[Outcome] = []
        for position, wanted in enumerate(ready, 1):
            step = steps_by_name.get(wanted.step, Step(wanted.step, (wanted,)))
            # Each may grow, but not at the cost of what starts beside it.
            kept = self.kept_back + total_spend(later.estimate for later in ready[position:])
            assignment, refusal = self._assign_any(wanted, step, kept)
            if assignment is not None:
                assignments.append(assignment)
                if refusal:
                    moves.append(Move(wanted, assignment.work.option, refusal))
            elif refusal:
                short_of = tuple(refusal.missing) if isinstance(refusal, BudgetExceeded) else ()
                skipped.append(Outcome(wanted, "skipped", reason=str(refusal), short_of=short_of))
        return DispatchResult(tuple(assignments), tuple(moves), tuple(skipped))

    def _assign_any(
        self, wanted: StepOption, step: Step, kept: Spend
    ) -> tuple[Assignment | None, Refusal | None]:
        """The assignment, and why it is not the wanted one, or why there is none."""
        refusal: Refusal | None = None
        for option in _alternatives(wanted, step):
            try:
                return self._assign(option, step, kept), refusal
            except (BudgetExceeded, PriceUnknown) as error:
                refusal = refusal or error  # the first says why it is not the wanted one
        return None, refusal

    def _assign(self, option: StepOption, step: Step, kept: Spend) -> Assignment:
        """Reserves the worst case, from which follows how much of the draft may be read.

        A run that is resumed or forked finds what it reserved before, and keeps its size. With
        another size it might read another part of the draft, and so ask another question.
        """
        first = call_key(self.key_of(option), 1)  # the executor's first call finds this very entry
        declared = self._as_declared(option)
        limit = earlier_limit(self.ledger, self.account, self.key_of(option))
        if limit is None:
            left, role = self.left().left_after(kept), self.model_access.role_of(option)
            limit = step_limit(option, declared.estimate, left, role.model, role.prices)
        readable, untouched = self._readable(option, step, limit)
        entry = self.ledger.reserve(self.account, first, option.name, limit, unsent=True)
        work = Work(self.task, declared, readable, revises=step.role == "revision")
        return Assignment(work, entry.reserved, untouched)

    def _as_declared(self, option: StepOption) -> StepOption:
        """An option with the estimates of its catalog, so that a bill is compared with those."""
        declared = self.model_access.price_option(self.catalog.get(option.name, option))
        return replace(declared, value=option.value)

    def _readable(self, option: StepOption, step: Step, limit: Spend) -> tuple[str, str]:
        """What the executor may read of the draft, and what a revision leaves as it is.

        Raises:
            BudgetExceeded: not even the first section could be revised.
        """
        if step.role == "section":
            return fitting_excerpt(self.draft, limit.tokens // DRAFT_READING_DIVISOR), ""
        draft = str(self.draft)
        # Only a model pays for what it reads.
        if option.executor != LLM:
            return draft, ""

        count = self.model_access.role_of(option).tokens_bound
        room = round((limit.tokens - PROMPT_TOKENS - count(self.task)) / REVISION_FACTOR)
        revisable, untouched = split_revisable(draft, room, count)
        if draft and not revisable:
            raise BudgetExceeded({"tokens": count(draft) - max(0, room)}, option.name)
        return revisable, untouched


def _alternatives(wanted: StepOption, step: Step) -> Iterator[StepOption]:
    """What the plan wants, then the other ways to do the step, the most valuable first."""
    yield wanted
    others = [option for option in step.options if option.name != wanted.name]
    yield from sorted(others, key=lambda option: (-option.value, option.name))

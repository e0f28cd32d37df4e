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
from thrifty.executors.answer_shape import AnswerShape
from thrifty.executors.draft import PARTS_ALL, Draft, revisable_parts, split_draft
from thrifty.executors.llm import useful_tokens
from thrifty.executors.model_access import ModelAccess
from thrifty.executors.payload import CONVERSATION
from thrifty.executors.protocol import Work
from thrifty.executors.registry import LLM
from thrifty.executors.results import Results
from thrifty.executors.step_limit import least_needed, step_limit
from thrifty.ledger.idempotent_calls import call_key, earlier_limit
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import AccountOrLease
from thrifty.models.roles import ModelRole

REVISION_FACTOR = 2.3
"""A revision reads its draft and writes it again, perhaps a little longer."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Work for an executor, and what was reserved for it."""

    work: Work
    reserved: Spend
    revised_parts: int
    """How many parts of the draft it revises, from the beginning; see `split_draft`."""


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
    results: Results
    """What there is to read."""
    input_tokens: Callable[[Work], int]
    """The most input tokens that a model can be billed for a piece of work."""
    model_access: ModelAccess
    left: Callable[[], Budget]
    """What can still be reserved, and the latency that is left, now."""
    catalog: Mapping[str, StepOption]
    """By name, every option as its catalog declares it: executors get that, not a forecast."""
    shape: AnswerShape | None = None
    """What the answer of the run has to be."""
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
        """Reserves the worst case, in which all that is read is counted as it will be sent.

        A run that is resumed or forked finds what it reserved before, and keeps its size. With
        another size it might revise another part of the draft, and so ask another question.
        """
        first = call_key(self.key_of(option), 1)  # the executor's first call finds this very entry
        work = self._work(option, step)
        limit = earlier_limit(self.ledger, self.account, self.key_of(option))
        if limit is None:
            limit = self._limit(option, work, self.left().left_after(kept))
        parts = self._revised_parts(work, limit)
        entry = self.ledger.reserve(self.account, first, option.name, limit, unsent=True)
        return Assignment(work, entry.reserved, parts)

    def _work(self, option: StepOption, step: Step) -> Work:
        """What is to be done, with the whole of what it reads."""
        declared = self.model_access.price_option(self.catalog.get(option.name, option))
        readings = self.results.readings_of(step)
        is_revision = step.role == "revision"
        return Work(
            self.task,
            # With the estimates of its catalog, so that a bill is compared with those.
            replace(declared, value=option.value),
            str(self.draft) if is_revision else "",
            is_revision,
            self.results.select(readings.present),
            readings.absent,
            self.shape if step.role == "answer" else None,
        )

    def _limit(self, option: StepOption, work: Work, left: Budget) -> Spend:
        """The most that the work may use: what it reads is not taken from what it may write.

        Raises:
            BudgetExceeded: what is left does not hold that, or a model's estimate beside what it
                reads.
            PriceUnknown: money is limited and the model has no price.
        """
        role, declared = self.model_access.role_of(option), work.option.estimate
        reading = self._reading(work, role)
        if missing := left.exceeded_by(least_needed(option, declared) + reading):
            raise BudgetExceeded(missing, option.name)
        beside = left.left_after(reading)
        limit = reading + step_limit(option, declared, beside, role.model, role.prices)
        if option.executor == LLM and not work.revises:
            needed = self.input_tokens(work) + useful_tokens(work, role)
            if needed > limit.tokens:
                raise BudgetExceeded({"tokens": needed - limit.tokens}, option.name)
        return limit

    def _reading(self, work: Work, role: ModelRole) -> Spend:
        """What a model is billed for the results that it reads. Nobody else pays for reading."""
        if work.option.executor != LLM or not work.results:
            return Spend()
        if work.option.payload.get("prompt") == CONVERSATION:  # its estimate has them
            return Spend()
        tokens = self.input_tokens(work) - self.input_tokens(replace(work, results={}))
        is_priced = role.prices.knows(role.model)
        return Spend(tokens, role.prices.worst(role.model, tokens, 0) if is_priced else 0)

    def _revised_parts(self, work: Work, limit: Spend) -> int:
        """How many parts of its draft a revision takes on. What follows them stays as it is.

        Raises:
            BudgetExceeded: not even the first section could be revised.
        """
        draft = work.draft
        if not draft or work.option.executor != LLM:  # only a model pays for what it reads
            return PARTS_ALL
        count = self.model_access.role_of(work.option).tokens_bound
        beside = self.input_tokens(replace(work, draft=""))
        room = round((limit.tokens - beside) / REVISION_FACTOR)
        parts = revisable_parts(draft, room, count)
        if not split_draft(draft, parts)[0]:
            missing = count(draft) - max(0, room)
            raise BudgetExceeded({"tokens": missing}, work.option.name)
        return parts


def _alternatives(wanted: StepOption, step: Step) -> Iterator[StepOption]:
    """What the plan wants, then the other ways to do the step, the most valuable first."""
    yield wanted
    others = [option for option in step.options if option.name != wanted.name]
    yield from sorted(others, key=lambda option: (-option.value, option.name))

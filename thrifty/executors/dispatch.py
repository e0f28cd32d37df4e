"""Hands out work: a reservation for each option that is ready, or for what can stand in for it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
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
from thrifty.executors.draft import PARTS_ALL, Draft, count_parts, split_draft
from thrifty.executors.llm import useful_tokens
from thrifty.executors.payload import is_conversation
from thrifty.executors.protocol import Work
from thrifty.executors.registry import AGENT, LLM
from thrifty.executors.results import Results
from thrifty.executors.step_estimate import StepEstimator
from thrifty.executors.step_limit import CallSize, agent_limit, call_limit, declared_limit
from thrifty.ledger.idempotent_calls import call_key, earlier_limit
from thrifty.ledger.protocol import Ledger
from thrifty.ledger.records import AccountOrLease
from thrifty.models.roles.model_role import ModelRole


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
    draft: Draft
    """What was written so far."""
    results: Results
    """What there is to read."""
    estimator: StepEstimator
    """What is expected of an option by what is sent for it."""
    left: Callable[[], Budget]
    """What can still be reserved, and the latency that is left, now."""
    given: Budget
    """The run's own limits."""
    catalog: Mapping[str, StepOption]
    """By name, every option as its recipe declares it: executors get that, not a forecast."""
    replaced: tuple[str, ...] = ()
    """The names of results that a whole answer takes the place of. It is handed what fits."""
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
        """Reserves what is sent, counted, and room for its answer.

        A run that is resumed or forked finds what it reserved before, and keeps its size. With
        another size it might revise another part of the draft, and so ask another question.
        """
        first = call_key(self.key_of(option), 1)  # the executor's first call finds this very entry
        earlier = earlier_limit(self.ledger, self.account, self.key_of(option))
        left = self.left().left_after(kept) if earlier is None else self.left().limited_to(earlier)
        # What was begun was worth it then, whatever is expected by now.
        expected = option.estimate if earlier is None else Spend()
        limit_of = partial(self._limit, expected=expected, left=left)
        work = self._work(option, step)
        if step.role == "answer":
            work = self._hand_over(work, left)
        if work.draft and option.executor == LLM:
            work, parts, limit = _revise_what_fits(work, limit_of)
        else:
            parts, limit = PARTS_ALL, earlier or limit_of(work)
        entry = self.ledger.reserve(self.account, first, option.name, earlier or limit, unsent=True)
        sent = replace(work, option=self.estimator.estimate_work(work))
        return Assignment(sent, entry.reserved, parts)

    def _work(self, option: StepOption, step: Step) -> Work:
        """What is to be done, with the whole of what it reads."""
        declared = replace(self.catalog.get(option.name, option), value=option.value)
        draft = str(self.draft) if step.role == "revision" else ""
        return self.estimator.work(declared, step, self.results, draft)

    def _hand_over(self, work: Work, left: Budget) -> Work:
        """The work of an answer with the results that it takes the place of, as far as an answer of
        the expected length fits beside them."""
        for name, result in self.results.select(self.replaced).items():
            more = replace(work, results={**work.results, name: result})
            needed = self.estimator.estimate_work(more).estimate
            if not left.without_latency().exceeded_by(needed):
                work = more
        return work

    def _limit(self, work: Work, *, expected: Spend, left: Budget) -> Spend:
        """The most that a piece of work may use.

        Args:
            work: with all that is sent for it.
            expected: what its option is expected to use by the bills so far.
            left: what may still be reserved.

        Raises:
            BudgetExceeded: what is left does not hold what is sent and a useful answer.
            PriceUnknown: money is limited and the model has no price.
        """
        declared, access = work.option.estimate, self.estimator.model_access
        role = access.role_of(work.option)
        if work.option.executor == AGENT:
            estimated, fee = self.estimator.estimate_work(work), role.uses.fees_nano_usd_max
            return agent_limit(
                estimated, expected, left, role.model, role.prices, fee, given=self.given
            )
        if work.option.executor != LLM:
            return declared_limit(work.option, expected, left)
        sent, written = self.estimator.input_tokens(work), work.option.expected_output_tokens
        size = CallSize(
            model=role.model,
            input_tokens=sent,
            output_least=_least_written(work, role, expected, sent),
            output_most=role.output_tokens_most if is_conversation(work.option) else 0,
            output_expected=max(
                role.uses.cap_within(max(expected.tokens, declared.tokens), sent),
                written,
                _as_long(work, sent),
            ),
            uses=role.uses,
        )
        return call_limit(
            work.option, size, left, role.prices, expected.latency_ms, given=self.given
        )


def _as_long(work: Work, sent: int) -> int:
    """What makes room for an answer that is longer than what it answers, as translations are."""
    return sent // 2 if is_conversation(work.option) else 0


def _least_written(work: Work, role: ModelRole, expected: Spend, sent: int) -> int:
    """The shortest answer that is asked for. One to a conversation may be cut at its cap."""
    useful = useful_tokens(work, role)
    if is_conversation(work.option):
        return useful
    return max(role.uses.cap_within(expected.tokens, sent), useful)


def _revise_what_fits(work: Work, limit_of: Callable[[Work], Spend]) -> tuple[Work, int, Spend]:
    """The work of revising as many parts of its draft as fit, how many these are, and its limit.

    What follows them stays as it is.

    Raises:
        BudgetExceeded: not even the first section could be revised.
    """
    for parts in range(count_parts(work.draft), 0, -1):
        revised, _ = split_draft(work.draft, parts)
        attempt = replace(work, draft=revised)
        try:
            return attempt, parts, limit_of(attempt)
        except BudgetExceeded:
            if not split_draft(work.draft, parts - 1)[0]:  # that would revise nothing
                raise
    raise AssertionError("a draft has a part")


def _alternatives(wanted: StepOption, step: Step) -> Iterator[StepOption]:
    """What the plan wants, then the other ways to do the step, the most valuable first."""
    yield wanted
    others = [option for option in step.direct_options if option.name != wanted.name]
    yield from sorted(others, key=lambda option: (-option.value, option.name))

"""A step that code does: whether its executor is to be called now, and what was before.

What has effects outside is called once for its step. The ledger says whether it was, so that no
retry, replan, resume or fork calls it again, whatever the state says.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from thrifty.budget import BudgetExceeded, Outcome, Spend
from thrifty.budget.decision import DecisionKind
from thrifty.budget.outcome import OutcomeStatus
from thrifty.executors.adapt import RegisteredExecutor
from thrifty.executors.protocol import Work
from thrifty.executors.registry import AGENT
from thrifty.ledger.idempotent_calls import release_call, try_mark_sent
from thrifty.ledger.latest_call import (
    LatestCall,
    allow_again,
    failure_of,
    find_latest_call,
    known_result,
    note_failure,
    note_happened,
)
from thrifty.ledger.notes import Notes
from thrifty.models.guard.ask_person import NO_ANSWER
from thrifty.models.guard.call_question import DONE, FAILED, UNKNOWN
from thrifty.models.guard.can_interrupt import NOBODY
from thrifty.models.guard.make_once import make_once
from thrifty.models.guard.tool_call_place import StepTools
from thrifty.run.ask_about_call import CallToAskAbout
from thrifty.run.effect_exclusions import LEFT_OUT

ALREADY_TRIED = "it was tried before, and left nothing"
NOT_APPROVED = f"it is to be approved before it is called, {NOBODY}"


@dataclass(frozen=True, slots=True)
class LocalStep:
    """A step on its way to an executor, or past it."""

    work: Work
    reserved: Spend
    """The most that it may use."""
    key: str
    """Names its calls in the ledger."""
    request: str
    """The fingerprint of what is asked."""
    executor: RegisteredExecutor
    tools: StepTools
    """The calls with effects that an agent's tools have made for the step."""
    is_declared: bool
    """Whether the deployment has said that this executor does it, and not a model."""
    notes: Notes
    can_ask: bool
    """Whether the run can wait for a person."""
    asks_on_failure: bool
    """Whether a person is asked what to do after a call that failed."""
    call: Callable[[Work, LatestCall], Outcome]
    """Calls the executor and settles what it used."""
    replay: Callable[[str, Spend], Outcome]
    """Reads what was kept of a call that is done, of which the amount was charged."""
    decide: Callable[[DecisionKind, str], None]
    """Takes down what was decided, for the receipt."""

    def do(self) -> Outcome:
        """Does the step, unless it was done before.

        Raises:
            GraphInterrupt: a person is asked first.
        """
        # What is done once is the same call, whatever a fork or a new plan would have it do.
        request = "" if self.executor.declared.effects else self.request
        try:
            return make_once(
                lambda: find_latest_call(self.key, self.reserved, request, self.notes),
                self._begin,
                self._judge,
                self.notes,
            )
        except BudgetExceeded as error:  # a fork's work needs money of its own
            return self._outcome("failed", str(error))

    def _begin(self, call: LatestCall) -> Outcome | None:
        """Calls the executor, once that is approved. None where what came of it is to be judged."""
        ledger, account = self.notes.ledger, self.notes.account
        work: Work | None = self.work
        if self._asks_in_vain:
            release_call(ledger, account, call.entry)
            return self._outcome("unknown", self.tools.describe())
        if self._is_to_be_approved:
            work = self._ask(call).ask_before() if self.can_ask else None
        if work is None:
            release_call(ledger, account, call.entry)
            return self._leave_out()
        if not try_mark_sent(ledger, account, call.entry):
            return None
        if self._is_to_be_approved:
            edited = "" if work == self.work else ", with another input"
            self._tell_decision(f"let {self.work.option.executor!r} be called{edited}")
        outcome = self.call(work, call)
        was_called = call.reread(self.notes).entry.status == "settled"
        if outcome.status != "failed" or not was_called or not self._may_have_changed:
            return outcome
        note_failure(call.entry, outcome.reason, self.notes)
        return None if self._asks_after_failure else outcome

    def _judge(self, call: LatestCall) -> Outcome | None:
        """What came of a call that was made before. None where it is to be made again."""
        entry, spend = call.entry, call.charged_before + call.entry.charged
        if entry.answer and entry.label == self.work.option.name:
            return self.replay(entry.answer, spend)
        if entry.answer:  # it is on the bill under the other's name
            outcome = self.replay(entry.answer, Spend())
            return replace(outcome, reason=f"{entry.label!r} did it before")
        if text := known_result(entry, self.notes):
            return Outcome(self.work.option, "done", text, spend)
        if not self._may_have_changed or entry.status in ("unsent", "released"):
            return Outcome(self.work.option, "failed", "", spend, ALREADY_TRIED)
        if entry.status != "settled" and self._is_agent:
            # An agent was cut off. Nobody else may do its work, and it finds what its tools did.
            allow_again(entry, NO_ANSWER, self.notes)
            return None
        is_known = entry.status == "settled"
        known = (failure_of(entry, self.notes) or FAILED) if is_known else UNKNOWN
        if not (self._asks_after_failure if is_known else self.can_ask):
            return Outcome(self.work.option, "failed" if is_known else "unknown", "", spend, known)
        answer, mark = self._ask(call).ask_after(known)
        if answer.action == "leave_out":
            reason = f"{known}; a person left it as it is"
            return Outcome(self.work.option, "failed", "", spend, reason)
        if answer.action == "again":
            allow_again(entry, str(mark), self.notes)
            self._tell_decision(f"let {self.work.option.executor!r} be called again: {known}")
            return None
        note_happened(entry, answer.text or DONE, self.notes)
        self._tell_decision(f"knows that {self.work.option.executor!r} did it: {known}")
        return Outcome(self.work.option, "done", answer.text or DONE, spend)

    @property
    def _asks_in_vain(self) -> bool:
        """Whether an agent would have to ask a person what its tools have done, and cannot."""
        return self._is_agent and not self.can_ask and self.tools.has_unknown()

    @property
    def _may_have_changed(self) -> bool:
        """Whether it may have changed something outside: by itself, or an agent by its tools."""
        return self.executor.declared.effects or (self._is_agent and bool(self.tools.list_made()))

    @property
    def _is_agent(self) -> bool:
        return self.work.option.executor == AGENT

    @property
    def _is_to_be_approved(self) -> bool:
        declared = self.executor.declared
        if declared.approve or not declared.effects:
            return declared.approve
        # What a model proposes, or a client writes, is nobody's word to go on. And what an agent's
        # tools have done for the step may be the very same.
        return not self.is_declared or bool(self.tools.list_made())

    @property
    def _asks_after_failure(self) -> bool:
        return self.can_ask and self.asks_on_failure

    def _ask(self, call: LatestCall) -> CallToAskAbout:
        return CallToAskAbout(self.work, self.executor, call.attempt, self.notes)

    def _leave_out(self) -> Outcome:
        name = self.work.option.executor
        if self.can_ask:
            self._tell_decision(f"let {name!r} not be called")
            return self._outcome("skipped", LEFT_OUT)
        self.decide("skip", f"{self.work.option.step} was skipped: {name!r}: {NOT_APPROVED}")
        return self._outcome("skipped", NOT_APPROVED)

    def _tell_decision(self, what: str) -> None:
        self.decide("ask", f"a person {what}")

    def _outcome(self, status: OutcomeStatus, reason: str) -> Outcome:
        return Outcome(self.work.option, status, reason=reason)

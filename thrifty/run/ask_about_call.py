"""Asks a person about the call of an executor: before it, and where its effect is not known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thrifty.executors.adapt import RegisteredExecutor
from thrifty.executors.protocol import Work
from thrifty.ledger.notes import Notes
from thrifty.models.guard.ask_person import Mark, ask_person
from thrifty.models.guard.call_question import (
    APPROVAL_FORMS,
    EFFECT_FORMS,
    CallAnswer,
    CallQuestion,
    read_approval,
    read_effect,
)


@dataclass(frozen=True, slots=True)
class CallToAskAbout:
    """A call of an executor, which a person has to be asked about."""

    work: Work
    executor: RegisteredExecutor
    attempt: int
    """How often it would have been called then: each time is a question of its own."""
    notes: Notes

    def ask_before(self) -> Work | None:
        """What is to be done, perhaps with another input. None where it is left out.

        Raises:
            GraphInterrupt: the person has not answered yet.
        """
        work, executor = self.work, self.executor
        reason = executor.declared.description or work.option.description
        asked = f"Is {work.option.executor!r} to be called for the step {work.option.step!r}?"
        question = self._question("call", asked, reason, APPROVAL_FORMS)

        def read(given: object) -> Work | None:
            answer = read_approval(given)
            for edited in answer.edited:
                return executor.with_input(work, edited)
            return work if answer.action == "go" else None

        return ask_person(question, read, self.notes)[0]

    def ask_after(self, known: str) -> tuple[CallAnswer, Mark]:
        """What became of it, and what is to be done now. Also where the answer stood.

        Args:
            known: what is known of it.

        Raises:
            GraphInterrupt: the person has not answered yet.
        """
        asked = f"Did {self.work.option.executor!r} do the step {self.work.option.step!r}?"
        question = self._question("effect", asked, known, EFFECT_FORMS)
        return ask_person(question, read_effect, self.notes)

    def _question(self, about: Any, asked: str, reason: str, forms: str) -> Mapping[str, Any]:
        question = CallQuestion(
            about=about,
            question=asked,
            reason=reason,
            executor=self.work.option.executor,
            step=self.work.option.step,
            task=self.work.task,
            attempt=self.attempt,
            input=self.executor.input_of(self.work),
            results={
                name: {"text": result.text, "data": result.data}
                for name, result in self.work.results.items()
            },
            draft=self.work.draft,
            answers=forms,
        )
        return question

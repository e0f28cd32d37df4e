"""The checks of a deployment, by name, and what they say of an attempt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from thrifty.budget import InvalidInput, Outcome, Step
from thrifty.checks import builtin
from thrifty.checks.check import Check

ANSWER_CHECK = "answer"
"""What the check of a direct answer is called where it has no name of its own."""


@dataclass(frozen=True, slots=True)
class Checks:
    """What results have to pass."""

    by_name: Mapping[str, Check] = field(default_factory=dict)
    """The deployment's own."""
    of_answers: str = ""
    """The name of the one that a direct answer has to pass. Empty where there is none."""
    is_on: bool = True
    """Whether anything is checked at all."""

    @classmethod
    def of(cls, given: Mapping[str, object] | None, answers: object = None) -> "Checks":
        """Reads what a deployment gives.

        Args:
            given: checks, or what one can be made of, by name.
            answers: the same for whatever answers a task directly. None for none.

        Raises:
            InvalidInput: something is no check.
        """
        if given is not None and not isinstance(given, Mapping):
            raise InvalidInput("checks", given, "use a mapping of names to checks")
        by_name = {name: Check.of(check, name) for name, check in (given or {}).items()}
        if answers is None:
            return cls(by_name)
        check = Check.of(answers)
        name = check.name if check.name not in by_name else ANSWER_CHECK
        return cls({**by_name, name: replace(check, name=name)}, name)

    def require_known(self, steps: Iterable[Step]) -> None:
        """Refuses steps that name a check that nobody gave.

        Raises:
            InvalidInput: one does; it names those that are there.
        """
        for step in steps:
            if step.check and step.check not in self.by_name:
                known = ", ".join(map(repr, self.by_name)) or "none"
                remedy = f"give it by that name in checks= (known: {known})"
                raise InvalidInput(f"step {step.name!r}.check", step.check, remedy)

    def named_by(self, step: Step) -> str:
        """The name of the check that a step's results have to pass. Empty where there is none."""
        if not self.is_on:
            return ""
        return step.check or (self.of_answers if step.role == "answer" else "")

    def strength(self, name: str) -> tuple[float, float]:
        """The sensitivity and the specificity of a check."""
        if check := self.by_name.get(name):
            return check.sensitivity, check.specificity
        return builtin.SENSITIVITY, builtin.SPECIFICITY

    def apply(
        self, outcome: Outcome, step: Step, wanted: builtin.WantedText, by_model: bool
    ) -> Outcome:
        """An attempt with what the checks say of it. One without a text is what it was.

        Args:
            outcome: of the attempt.
            step: that it was an attempt at.
            wanted: what it was asked by.
            by_model: whether a model wrote it: then the free checks are made as well.
        """
        if not self.is_on or not outcome.has_text:
            return outcome
        results = []
        if (
            by_model
            and outcome.data is None
            and (fault := builtin.check_text(outcome.text, wanted))
        ):
            results.append(fault)
        if name := self.named_by(step):
            results.append(self.by_name[name].judge(outcome.text, outcome.data))
        return replace(outcome, checks=tuple(results))


FREE_CHECKS = Checks()
"""Those alone that every text of a model has to pass."""
NO_CHECKS = Checks(is_on=False)

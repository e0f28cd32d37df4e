"""The work that both loops do: the same calls, in the same order, each with the same answer."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from thrifty.budget import Spend, Step, StepOption

TASK = "Write the handbook."
WORDS = [
    "budget",
    "ledger",
    "step",
    "plan",
    "draft",
    "wave",
    "route",
    "risk",
    "spend",
    "call",
    "answer",
    "section",
]
ANSWER_WORDS = 180
CALL_TOKENS = 100


@dataclass(frozen=True, slots=True)
class ScriptedCalls:
    """Calls to a model that is not there."""

    steps: int
    answers: tuple[str, ...]
    call_ms: int
    """How long each takes; its caller only waits."""

    @classmethod
    def generate(cls, steps: int, call_ms: int, seed: int) -> "ScriptedCalls":
        """About a kilobyte of seeded prose a step."""
        rng = random.Random(seed)
        answers = (" ".join(rng.choices(WORDS, k=ANSWER_WORDS)) for _ in range(steps))
        return cls(steps, tuple(answers), call_ms)

    def answer(self, number: int) -> str:
        """One call."""
        if self.call_ms:
            time.sleep(self.call_ms / 1000)
        return self.answers[number]

    def catalog(self) -> tuple[Step, ...]:
        """The calls as steps for the agent, each a little less worth than the one before."""
        return tuple(_make_step(number, self.steps) for number in range(self.steps))

    def executors(self) -> dict[str, Callable[..., str]]:
        """Who does them."""
        return {"fake": lambda work: self.answer(work.option.payload["number"])}


def _make_step(number: int, steps: int) -> Step:
    name = f"Part {number}"
    estimate = Spend(CALL_TOKENS, 0, 1, 1)
    value = 2.0 - number / steps
    option = StepOption(
        f"{name} (fake)", name, "fake", "Write it.", estimate, value, payload={"number": number}
    )
    return Step(name, (option,))

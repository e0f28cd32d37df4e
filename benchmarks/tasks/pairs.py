"""Two answers to a task as a judge sees them: A and B, without a sign of which is which.

Each pair has two sheets, one for each order, in different sets. The order of the first set is
drawn with a seed. A sheet is named after its texts, so that no verdict is taken for one on others.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from benchmarks.tasks.delivered import Delivered
from benchmarks.tasks.load import BenchmarkTask

SEED = 25
SETS = ("1", "2")
NAME_LENGTH = 12
QUESTION = """\
Somebody asked for what stands under "The task", and was handed two answers, A and B. Which one
would that person rather have? Weigh what they need it for: is it right, does it hold to each
condition, is anything made up or missing, can they act on it? What is in the documents and in the
task is true. What an answer claims beside them may be found out or made up: judge by what you can
check and by how it fits together. Length, tone and form count only as far as the person asked for
them.

Reply with YAML:

    winner: A        # A, B or tie
    margin: clear    # slight or clear
    why: One sentence.
"""

Side = Literal["steps", "direct"]
SIDES: tuple[Side, Side] = ("steps", "direct")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One pair in one order."""

    name: str
    set: str
    task_id: str
    first: Side
    """Which answer is A. A judge never sees it."""
    text: str
    """What a judge sees."""

    @property
    def second(self) -> Side:
        """Which answer is B."""
        return other_side(self.first)


def other_side(side: Side) -> Side:
    """The answer that it is compared with."""
    return SIDES[1 - SIDES.index(side)]


def sheets(task: BenchmarkTask, pair: Delivered) -> Iterator[Sheet]:
    """The pair in both orders."""
    first: Side = Random(f"{SEED} {task.id}").choice(SIDES)
    for each, side in zip(SETS, (first, other_side(first)), strict=True):
        answers = [_text(pair, side), _text(pair, other_side(side))]
        said = "\0".join([str(SEED), task.id, each, *answers])
        name = hashlib.sha256(said.encode()).hexdigest()[:NAME_LENGTH]
        yield Sheet(name, each, task.id, side, _page(task, answers))


def _text(pair: Delivered, side: Side) -> str:
    return (pair.steps if side == "steps" else pair.direct).text.strip()


def _page(task: BenchmarkTask, answers: list[str]) -> str:
    parts = [QUESTION, "=== The task ===", task.text.strip()]
    for name, text in task.documents.items():
        parts += [f"=== Document: {name} ===", text.strip()]
    for letter, answer in zip("AB", answers, strict=True):
        parts += [f"=== Answer {letter} ===", answer]
    return "\n\n".join(parts) + "\n"

"""What runs came to: how many answers were right, what was spent, and by which way each came."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.checked.questions import Question


@dataclass(slots=True)
class Tally:
    """Counts of runs at one cap."""

    questions: int = 0
    right_by_run: list[int] = field(default_factory=list)
    over: int = 0
    """Runs that spent more than their cap."""
    spent_nano_usd: int = 0
    cap_nano_usd: int = 0
    planned: Counter[str] = field(default_factory=Counter)
    """How often each way was in a first plan: `cheap`, `strong`, `cascade`."""
    bought: Counter[str] = field(default_factory=Counter)
    """What was bought: `cheap`, `strong` first, `strong after cheap` where a check had failed."""

    @property
    def runs(self) -> int:
        """How many runs were counted."""
        return len(self.right_by_run)

    @property
    def share_right(self) -> float:
        """The share of the questions that were answered rightly."""
        return sum(self.right_by_run) / self.questions

    @property
    def share_spent(self) -> float:
        """What was spent as a share of the caps."""
        return self.spent_nano_usd / self.cap_nano_usd

    def add(self, run: "EndedRun", questions: Sequence[Question], cap_nano_usd: int) -> None:
        """Counts one run."""
        spent = run.result["spend"]["cost_nano_usd"]
        self.questions += len(questions)
        given = _given_answers(run.result, len(questions))
        self.right_by_run.append(sum(map(_is_right, questions, given)))
        self.over += spent > cap_nano_usd
        self.spent_nano_usd += spent
        self.cap_nano_usd += cap_nano_usd
        self.planned.update(map(_way, run.first_plan["chosen"]))
        self.bought.update(_bought(run.outcomes))


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that has ended."""

    first_plan: Mapping[str, Any]
    outcomes: Sequence[Mapping[str, Any]]
    result: Mapping[str, Any]


def _given_answers(result: Mapping[str, Any], count: int) -> list[str]:
    """What a run hands back to each question. Empty where it has nothing."""
    results = result["results"]
    return [results.get(f"Question {place}", {}).get("text", "") for place in range(1, count + 1)]


def _is_right(question: Question, given: str) -> bool:
    """Whether a text is a right answer of the log, whole."""
    return any(each.is_right and each.text == given for each in question.answers.values())


def _way(option: Mapping[str, Any]) -> str:
    return "cascade" if option["cascade"] else str(option["payload"]["model"])


def _bought(outcomes: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    tried: dict[str, str] = {}
    for outcome in outcomes:
        if outcome["status"] not in ("done", "cut"):
            continue
        step, role = outcome["option"]["step"], outcome["option"]["payload"]["model"]
        yield f"{role} after {tried[step]}" if step in tried else role
        tried[step] = role

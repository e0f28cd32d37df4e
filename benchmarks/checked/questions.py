"""The logged questions: what two models answered to each, and whether that was right."""

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

FILE = "answers.jsonl"
ROLES = ("strong", "cheap")


@dataclass(frozen=True, slots=True)
class LoggedAnswer:
    """What a model answered."""

    text: str
    is_right: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A question with an answer of each model, by its role."""

    id: int
    text: str
    answers: dict[str, LoggedAnswer]


def read_questions(folder: Path) -> list[Question]:
    """Every question of the log, in its order."""
    lines = (folder / FILE).read_text("utf-8").splitlines()
    return [_read_question(json.loads(line)) for line in lines]


def split_questions(questions: list[Question], seed: int) -> tuple[list[Question], list[Question]]:
    """Two halves, drawn at random: what is learned from, and what is reported on."""
    drawn = Random(seed).sample(questions, len(questions))
    middle = len(drawn) // 2
    return drawn[:middle], drawn[middle:]


def in_runs(questions: list[Question], size: int) -> list[list[Question]]:
    """The questions, so many a run. What does not fill a run is left out."""
    whole = len(questions) - len(questions) % size
    return [questions[start : start + size] for start in range(0, whole, size)]


def _read_question(line: dict[str, Any]) -> Question:
    answers = {
        role: LoggedAnswer(line[role]["text"].strip(), bool(line[role]["right"])) for role in ROLES
    }
    return Question(int(line["id"]), " ".join(line["question"].split()), answers)

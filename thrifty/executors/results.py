"""What there is to read in a run: documents that were handed over, and what steps have made."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from typing_extensions import TypedDict

from thrifty.budget import Outcome, Step
from thrifty.executors.protocol import Result


class ResultState(TypedDict):
    """A result as plain data."""

    text: str
    data: Any


class Readings(NamedTuple):
    """What one step reads, by name."""

    present: tuple[str, ...]
    """What is there."""
    absent: tuple[str, ...]
    """What was not done, or not handed over."""


class Results:
    """The results of a run so far, each whole, by the name of its step or document."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        """With the documents alone.

        Args:
            documents: their texts by name.
        """
        self._documents = tuple(documents)
        self._by_name = {name: Result(text) for name, text in documents.items()}

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Takes in what was tried next."""
        for outcome in outcomes:
            if outcome.has_text:
                self._by_name[outcome.step] = Result(outcome.text, outcome.data, outcome.actual)

    def readings_of(self, step: Step) -> Readings:
        """What a step reads of them.

        A step that does not say what it reads reads what it requires. It reads every document as
        well, unless it revises: the draft has what was made of those.
        """
        names = step.reads
        if names is None:
            documents = () if step.role == "revision" else self._documents
            names = (*step.requires, *documents)
        named = dict.fromkeys(names)  # each once
        return Readings(
            tuple(name for name in named if name in self._by_name),
            tuple(name for name in named if name not in self._by_name),
        )

    def select(self, names: Iterable[str]) -> dict[str, Result]:
        """Those of some names, as far as they are there."""
        return {name: self._by_name[name] for name in names if name in self._by_name}

    def to_state(self) -> dict[str, ResultState]:
        """All of them as plain data."""
        return {
            name: ResultState(text=result.text, data=result.data)
            for name, result in self._by_name.items()
        }

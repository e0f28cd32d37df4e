"""What the local executor knows about kinds of work, read from `playbook.yaml`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Thing:
    """What is said of a thing that is to be made or done."""

    deliver: str
    covers: str
    excludes: str
    build: str
    proof: str


@dataclass(frozen=True, slots=True)
class Milestone:
    """A dated result."""

    name: str
    """Empty when it stands for one milestone a thing."""
    weight: int
    proof: str
    """How to tell that it is done."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work: what its outline, its timeline and its open questions usually are."""

    name: str
    words: frozenset[str]
    beside: frozenset[str]
    """Words of which one must be there too; empty when the others say enough."""
    unless: frozenset[str]
    """Words that say that it is another kind."""
    duration: str
    """The time it usually takes, in words."""
    days: int
    sections: Mapping[str, str]
    milestones: tuple[Milestone, ...]
    questions: tuple[str, ...]

    def is_meant(self, word: str, known: Collection[str]) -> bool:
        """Whether a word of a task, among all that are known of it, says that it is this kind."""
        return (
            word in self.words
            and self.unless.isdisjoint(known)
            and not (self.beside and self.beside.isdisjoint(known))
        )


@dataclass(frozen=True, slots=True)
class Playbook:
    """All that is known, in the order of the file."""

    documents: Mapping[str, str]
    """The last word of a text's name, to `project` or `writing`."""
    parts: Mapping[str, str]
    kinds: tuple[Kind, ...]
    things: Mapping[str, Thing]
    """By the last word of a thing's name."""
    thing: Thing
    """For a thing that is not known."""

    def kind(self, name: str) -> Kind:
        return next(kind for kind in self.kinds if kind.name == name)

    def thing_called(self, name: str) -> Thing:
        """What is known of a thing: by the last word before a preposition, else by any word."""
        words = [singular(word) for word in head_first(name)]
        return next((self.things[word] for word in words if word in self.things), self.thing)


@cache
def playbook() -> Playbook:
    """The one that ships with thrifty."""
    raw = read_data("playbook.yaml")
    return Playbook(
        documents={word: kind for kind, words in raw["documents"].items() for word in words},
        parts=raw["parts"],
        kinds=tuple(_kind(name, entry) for name, entry in raw["kinds"].items()),
        things={
            head: Thing(**{key: text for key, text in entry.items() if key != "heads"})
            for entry in raw["things"]
            for head in entry["heads"]
        },
        thing=Thing(**raw["thing"]),
    )


def read_data(name: str) -> Any:
    """A data file that ships beside this module."""
    import yaml  # only when something is written locally

    text = files("thrifty.executors").joinpath(name).read_text("utf-8")
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def singular(word: str) -> str:
    """A rough singular, enough to find a word in a list."""
    word = word.lower().strip(".,;:!?\"'()")
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


def head_first(name: str) -> list[str]:
    """The words of a name, the one that says what it is first: "trip" of "trip to Lisbon"."""
    words = name.split()
    end = next((i for i, word in enumerate(words) if i and word.lower() in PREPOSITIONS), None)
    return [*reversed(words[:end]), *words[end or len(words) :]]


PREPOSITIONS = frozenset(
    {
        "about", "against", "at", "between", "by", "for", "from", "in", "into", "of", "on", "onto",
        "over", "through", "to", "toward", "with",
    }
)  # fmt: skip


def _kind(name: str, entry: dict[str, Any]) -> Kind:
    return Kind(
        name=name,
        words=frozenset(entry["words"]),
        beside=frozenset(entry.get("beside", ())),
        unless=frozenset(entry.get("unless", ())),
        duration=entry["default"],
        days=entry["days"],
        sections=entry["sections"],
        milestones=tuple(
            Milestone(m.get("name", ""), m["weight"], m.get("proof", ""))
            for m in entry["milestones"]
        ),
        questions=tuple(entry["questions"]),
    )

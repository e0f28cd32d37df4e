"""What local code knows about work, read from `playbook.yaml`."""

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

Cells = list[str]


@dataclass(frozen=True, slots=True)
class Theme:
    """A thing that work may touch, such as a dashboard."""

    words: list[str]
    """Any of them names it."""
    scope: str
    excluded: str
    risks: list[Cells]
    work: tuple[str, str] | None = None
    """Its own milestone, and how to tell that it is done."""
    days: int = 0
    outline: dict[str, str] = field(default_factory=dict)
    """Empty where that of all work is as good."""


@dataclass(frozen=True, slots=True)
class Playbook:
    """All that is known, in the order of the file."""

    outline: dict[str, str]
    """What belongs in each section, in reading order."""
    days: int
    """The calendar days that work is given where the task states none."""
    milestones: list[tuple[str, int, str]]
    questions: list[str]
    risks: list[Cells]
    themes: list[Theme]
    parts: dict[str, str]


@cache
def playbook() -> Playbook:
    """The one that ships with thrifty."""
    import yaml  # only when something is written locally

    text = files("thrifty.executors.offline").joinpath("playbook.yaml").read_text("utf-8")
    known = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return Playbook(**{**known, "themes": [Theme(**theme) for theme in known["themes"]]})

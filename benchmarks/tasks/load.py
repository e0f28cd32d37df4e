"""Reads tasks from YAML: a file a kind, with what is asked, handed over and expected.

The keys of a task are the fields of `BenchmarkTask`, but `kind`, which is the name of the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from benchmarks.tasks.facts import Fact, Source

FOLDER = Path(__file__).parent
FIRST = "first"
"""The tasks that were written before the code was frozen."""
HELD_OUT = "held_out"
"""Those that somebody wrote after that, who saw no code."""
GROUPS = (FIRST, HELD_OUT)

Language = Literal["en", "de", "fr", "es"]


@dataclass(frozen=True, slots=True)
class BenchmarkTask:
    """What somebody asks, with all that they hand over, and what is right."""

    id: str
    kind: str
    """What sort of work it is: `comparison`, `trip`, `short_answer`, …"""
    text: str
    """What is asked: this is all that a run is told, beside the documents."""
    language: Language
    """In which the answer is wanted."""
    words: int | None = None
    """The length of the result, where the task states one."""
    documents: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What is handed over, by name."""
    tools: tuple[str, ...] = ()
    """Names of tools: see `make_tools`."""
    facts: tuple[Fact, ...] = ()
    """What a good answer says. No model may see them."""


def load_tasks(group: str = FIRST) -> tuple[BenchmarkTask, ...]:
    """The tasks of a folder, by kind and in the order of each file."""
    files = sorted((FOLDER / group).glob("*.yaml"))
    return tuple(task for file in files for task in _read_file(file))


def _read_file(file: Path) -> list[BenchmarkTask]:
    entries = yaml.safe_load(file.read_text("utf-8"))
    return [_read_task(file.stem, entry) for entry in entries]


def _read_task(kind: str, entry: dict[str, Any]) -> BenchmarkTask:
    facts = tuple(map(_read_fact, entry.pop("facts", ())))
    tools = tuple(entry.pop("tools", ()))
    return BenchmarkTask(kind=kind, tools=tools, facts=facts, **entry)


def _read_fact(entry: dict[str, Any]) -> Fact:
    accepts = tuple(entry.pop("accepts", ()))
    sources = tuple(Source(**source) for source in entry.pop("sources", ()))
    return Fact(accepts=accepts, sources=sources, **entry)

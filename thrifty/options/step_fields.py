"""Reads the fields of one step that a model wrote, each as what it is: input from a stranger."""

import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from thrifty.budget import InvalidInput
from thrifty.budget.name_folding import fold_name
from thrifty.budget.plain_text import single_line
from thrifty.budget.step import Role
from thrifty.executors.plain_json import compact_json, plain_json
from thrifty.options.decomposition import (
    IMPORTANCE_DEFAULT,
    IMPORTANCE_MAX,
    INPUT_CHARACTERS_MAX,
    INSTRUCTION_MAX,
    PLANNED_ROLES,
    READS_MAX,
    SCHEMA_WORDS,
    STEP_NAME_MAX,
    STEP_WORDS_DEFAULT,
    STEP_WORDS_MAX,
    WORDS_MIN,
    WORK_KINDS,
    WorkKind,
)
from thrifty.options.json_in_text import read_object

ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("id",),
    "name": ("name", "title"),
    "instruction": ("instruction", "instructions", "description", "assignment", "task"),
    "reads": ("reads", "needs", "requires", "depends_on", "dependencies"),
    "role": ("role",),
    "kind": ("kind",),
    "importance": ("importance",),
    "words": ("words", "size"),
    "executor": ("executor", "by", "tool"),
    "input": ("input", "arguments", "args"),
}
"""What models call the fields, the first that is there."""
MODEL_WORDS = frozenset(
    {"", "model", "a model", "llm", "llm with tools", "assistant", "agent", "ai", "local", "none"}
)
"""How a step says that no registered executor does it."""
JOINERS = "\u200c\u200d"
"""Invisible letters that Persian and emoji are written with."""
NOT_TEXT = ("Cf", "Co", "Cn")
"""Categories of characters that nobody sees, or that mean nothing."""
MARKUP = re.compile(r"^(?:(?:#+|[-*+>]) )+")
LEADING_NUMBER = re.compile(r"\s*(-?\d[\d,_]{0,17}(?:\.\d{0,9})?)")
RAW_PER_CHARACTER = 4
"""How much of a text is looked at for each character that is kept."""
READ_MAX = 200
"""How much is looked at of the name of what a step reads."""
POSITION_MAX = 10**6
COPIED = frozenset(map(fold_name, SCHEMA_WORDS))


@dataclass(frozen=True, slots=True)
class DraftStep:
    """A step of which it is not yet settled what it reads."""

    number: int
    """Its place among what was written, from 1."""
    name: str
    instruction: str
    ids: tuple[str, ...]
    """By what others may call it first."""
    titles: tuple[str, ...]
    """By what else: its name, as it was written and as it is read."""
    named_reads: tuple[str, ...]
    """What it says that it reads, as it was written."""
    role: Role | None
    """None: nobody said, or what was said means nothing."""
    kind: WorkKind
    importance: int
    words: int
    executor: str
    input: Any
    reads: tuple[int, ...] = ()
    """The steps that it reads, by number."""
    documents: tuple[str, ...] = ()
    """The documents that it reads."""


def read_draft(
    given: object, number: int, executors: Collection[str], remarks: list[str]
) -> DraftStep | None:
    """Reads one step. None where it says nothing.

    Args:
        given: what a model wrote.
        number: its place, from 1.
        executors: the names that it may give as its executor.
        remarks: what was changed is added to them.
    """
    if not isinstance(given, Mapping):
        remarks.append(f"step {number} was dropped: it is no object")
        return None
    fields = _fields(given)
    written = read_line(fields.get("name"), STEP_NAME_MAX)
    instruction = read_line(fields.get("instruction"), INSTRUCTION_MAX)
    if not (instruction or written):
        remarks.append(f"step {number} was dropped: it says nothing")
        return None
    if fold_name(instruction) in COPIED:
        remarks.append(f"step {number} was dropped: it is copied from the question")
        return None
    name = written or _beginning(instruction) or f"Step {number}"
    role = _word(fields.get("role"), PLANNED_ROLES)
    return DraftStep(
        number=number,
        name=name,
        instruction=instruction or name,
        ids=tuple(_texts(fields.get("id"))),
        titles=(*_texts(fields.get("name")), name),
        named_reads=tuple(_texts(fields.get("reads"))),
        role=cast("Role | None", role),
        kind=read_kind(fields.get("kind"), "write"),
        importance=read_number(fields.get("importance"), 1, IMPORTANCE_MAX, IMPORTANCE_DEFAULT),
        words=read_number(fields.get("words"), WORDS_MIN, STEP_WORDS_MAX, STEP_WORDS_DEFAULT),
        executor=_read_executor(fields.get("executor"), number, executors, remarks),
        input=_read_input(fields.get("input"), number, remarks),
    )


def read_line(value: object, maximum: int) -> str:
    """One line of plain text without markup before it. Empty where it is none."""
    if not isinstance(value, str):
        return ""
    text = value.strip()[: RAW_PER_CHARACTER * maximum]
    # In this order: letters that come together only now would else be composed the next time.
    seen = "".join(filter(_is_text, single_line(text)))
    line = MARKUP.sub("", single_line(unicodedata.normalize("NFKC", seen)))
    return line[:maximum].rstrip() if fold_name(line) else ""


def read_number(value: object, minimum: int, maximum: int, default: int) -> int:
    """A whole number in range, the nearest one where it is out of range."""
    if isinstance(value, str):
        found = LEADING_NUMBER.match(value)
        value = float(found[1].replace(",", "").replace("_", "")) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    if isinstance(value, float) and not math.isfinite(value):
        return default
    return round(min(maximum, max(minimum, value)))


def read_kind(value: object, default: WorkKind) -> WorkKind:
    """A kind of work."""
    return cast(WorkKind, _word(value, WORK_KINDS) or default)


def quote(text: object) -> str:
    """What a model wrote, as a remark shows it."""
    return repr(read_line(str(text)[:STEP_NAME_MAX], STEP_NAME_MAX))


def _fields(given: Mapping[Any, Any]) -> dict[str, Any]:
    known = {name.strip().casefold(): given[name] for name in given if isinstance(name, str)}
    found: dict[str, Any] = {}
    for field, aliases in ALIASES.items():
        values = [known[alias] for alias in aliases if known.get(alias) is not None]
        found[field] = values[0] if values else None
    return found


def _is_text(character: str) -> bool:
    return character in JOINERS or unicodedata.category(character) not in NOT_TEXT


def _beginning(instruction: str) -> str:
    """The first words of an instruction, for a step without a name."""
    return read_line(" ".join(instruction.split()[:6]).rstrip(".,:;"), STEP_NAME_MAX)


def _texts(value: object) -> Iterator[str]:
    """Names of steps and documents, alone or in a list. A number is a name, too."""
    given: Iterable[object] = value[:READS_MAX] if isinstance(value, list | tuple) else [value]
    for each in given:
        name = each.get("id", each.get("name")) if isinstance(each, Mapping) else each
        if isinstance(name, str) and name.strip():
            yield name.strip()[:READ_MAX]
        elif isinstance(name, int) and not isinstance(name, bool) and abs(name) < POSITION_MAX:
            yield str(name)


def _word(value: object, known: Collection[str]) -> str | None:
    word = value.strip().casefold() if isinstance(value, str) else None
    return word if word in known else None


def _read_executor(
    value: object, number: int, executors: Collection[str], remarks: list[str]
) -> str:
    name = fold_name(value[:READ_MAX]) if isinstance(value, str) else ""
    for known in executors:
        if fold_name(known) == name:
            return known
    if name in MODEL_WORDS:
        return ""
    remarks.append(f"step {number}: nobody here is called {quote(value)}, so a model does it")
    return ""


def _read_input(value: object, number: int, remarks: list[str]) -> Any:
    """Plain data, of a size that can be shown to a person. A text may hold it as JSON."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = read_object(value)
    if value is None or value == "" or value == {}:
        return None
    try:
        data = plain_json("input", value)
    except InvalidInput:
        remarks.append(f"step {number}: its input is no plain data")
        return None
    if len(compact_json(data)) > INPUT_CHARACTERS_MAX:
        remarks.append(f"step {number}: its input is longer than {INPUT_CHARACTERS_MAX:,}")
        return None
    return data

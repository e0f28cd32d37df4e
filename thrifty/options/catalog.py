"""The catalog: which steps a task may need, and the ways to do each of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from thrifty.budget import InvalidInput, Step, StepOption, check_steps, group_by_step
from thrifty.budget.name_folding import fold_name
from thrifty.executors.payload import check_payload
from thrifty.executors.references import find_reference


@dataclass(frozen=True, slots=True)
class Catalog:
    """Steps that make sense together.

    Raises:
        InvalidInput: no steps, names that look the same, unknown or circular requirements, or a
            payload that is no plain data.
    """

    steps: tuple[Step, ...]
    """In the order of the draft."""

    def __post_init__(self) -> None:
        if not self.steps:
            raise InvalidInput("catalog.steps", self.steps, "give at least one step")
        check_steps(self.steps)
        _check_names("step.name", [step.name for step in self.steps])
        _check_names("option.name", [option.name for option in self.options])
        for option in self.options:
            check_payload(option)
        for step in self.steps:
            self._check_references(step)

    def _check_references(self, step: Step) -> None:
        """Refuses an input that refers to a step which its own does not read."""
        reads = step.requires if step.reads is None else step.reads
        unread = {other.name for other in self.steps} - {*reads}
        for option in step.options:
            if name := find_reference(option.payload.get("input"), unread):
                field = f"option {option.name!r}.payload.input"
                raise InvalidInput(field, f"${name}", f"let the step {step.name!r} read it")

    @property
    def options(self) -> tuple[StepOption, ...]:
        """Every option of every step."""
        return tuple(option for step in self.steps for option in step.options)

    @classmethod
    def of(cls, source: CatalogSource) -> Catalog:
        """Reads a catalog in whichever form the user has it.

        Args:
            source: a catalog, the path of a YAML file, the same as a mapping, steps, loose
                options (each names its step), or None for the built-in catalog.

        Raises:
            InvalidInput: the source is none of these, or holds something no plan can use.
        """
        if isinstance(source, Catalog):
            return source
        if source is None or isinstance(source, str | os.PathLike):
            return load_catalog(source)
        if isinstance(source, Mapping):
            from thrifty.options.catalog_schema import read_steps  # pydantic: only when needed

            return cls(read_steps(source, "catalog"))
        return cls(_read_step_objects(source))


CatalogSource = (
    Catalog
    | str
    | os.PathLike[str]
    | Mapping[str, object]
    | Iterable[Step]
    | Iterable[StepOption]
    | None
)
"""What `Catalog.of` reads."""


def load_catalog(path: str | os.PathLike[str] | None = None) -> Catalog:
    """Reads a catalog file, or the built-in one when no path is given.

    Raises:
        InvalidInput: names the file, the field and the line, the value, and the remedy.
    """
    if path is None:
        return builtin_catalog()
    from thrifty.options.catalog_file import read_catalog_file  # YAML: only when needed

    path = Path(path).expanduser()
    where = f"catalog {path}"
    steps = read_catalog_file(path, where)
    try:
        return Catalog(steps)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error.field}", error.value, error.remedy) from error


@cache
def builtin_catalog() -> Catalog:
    """The tutorial's five steps and nine options."""
    from thrifty.options.catalog_file import read_catalog_text

    return Catalog(read_catalog_text(builtin_catalog_text(), "built-in catalog"))


def builtin_catalog_text() -> str:
    """The built-in catalog as YAML with comments, to copy and change."""
    return files("thrifty.options").joinpath("catalog.yaml").read_text("utf-8")


def _check_names(field: str, names: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if (same := seen.setdefault(fold_name(name), name)) is not name:
            raise InvalidInput(field, name, f"choose a name that differs more from {same!r}")


def _read_step_objects(source: object) -> tuple[Step, ...]:
    """Steps as they are, loose options grouped."""
    members = tuple(source) if isinstance(source, Iterable) else (source,)
    if all(isinstance(member, Step) for member in members):
        return members
    if all(isinstance(member, StepOption) for member in members):
        return group_by_step(members)
    odd = next((m for m in members if not isinstance(m, Step | StepOption)), members)
    raise InvalidInput("catalog", odd, "give a path, a mapping, or all Steps, or all StepOptions")

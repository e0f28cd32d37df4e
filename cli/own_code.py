"""What commands share: a person's own tools, executors and checks, from the file of `--tools`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import click

from thrifty.budget import InvalidInput

OPTION = "--tools"
MODULE = "thrifty_own_code"
WHAT_IT_HAS = "let it have `tools`, `executors`, `checks`, or `check` for answers"
tools_option = click.option(
    OPTION,
    metavar="FILE",
    help="A Python file with `tools`, `executors`, `check` or `checks`; it is run.",
)


@dataclass(frozen=True, slots=True)
class OwnCode:
    """What a person's file brings to a run."""

    path: str = ""
    """Empty: there is none."""
    tools: Sequence[Any] = ()
    executors: Mapping[str, Any] = field(default_factory=dict)
    check: Any = None
    """What a direct answer has to pass. None: nothing of the person's."""
    checks: Mapping[str, Any] = field(default_factory=dict)
    """The same for steps that name one."""

    @property
    def names(self) -> tuple[str, ...]:
        """What an option of a recipe may call them."""
        from thrifty.executors.answer_with_tools import name_tools  # LangChain: only for tools

        return (*self.executors, *(name_tools(self.tools) if self.tools else ()))


def read_own_code(given: str | None) -> OwnCode:
    """Runs the file, and reads what it has.

    Raises:
        InvalidInput: it cannot be read or raises, or it has nothing of the kind.
    """
    if not given:
        return OwnCode()
    path = Path(given).expanduser().resolve()
    if not path.is_file():
        raise InvalidInput(OPTION, given, "name a Python file that can be read")
    module = _run_file(given, path)
    own = OwnCode(
        str(path),
        tools=getattr(module, "tools", ()),
        executors=getattr(module, "executors", {}),
        check=getattr(module, "check", None),
        checks=getattr(module, "checks", {}),
    )
    if not (own.tools or own.executors or own.check or own.checks):
        raise InvalidInput(OPTION, given, WHAT_IT_HAS)
    return own


def _run_file(given: str, path: Path) -> Any:
    spec = spec_from_file_location(MODULE, path)
    if spec is None or spec.loader is None:
        raise InvalidInput(OPTION, given, "name a file that ends in .py")
    module = module_from_spec(spec)
    sys.modules[MODULE] = module  # so that its classes find their module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the person's code raises
        raise InvalidInput(OPTION, given, f"mend it: {type(error).__name__}: {error}") from error
    return module

"""Fills the Markdown templates, with every text from outside kept a text."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from thrifty.executors.words import capital, inert, listed

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment


def render(template: str, **values: Any) -> str:
    """A template of `templates/`, filled; a name it does not know is an error."""
    return _environment().get_template(f"{template}.md.j2").render(values).strip() + "\n"


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import PackageLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=PackageLoader("thrifty.executors"),
        undefined=StrictUndefined,
        autoescape=False,  # it is Markdown; `finalize` does what Markdown needs
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(capital=capital, cell=_cell, listed=listed)
    return environment


def _shown(value: object) -> object:
    """What every `{{ }}` goes through, so that no template can forget it."""
    return inert(value) if isinstance(value, str) else value


def _cell(text: str) -> str:
    """A text that stays in its cell of a table; line ends are gone with `finalize`."""
    return text.replace("\\", "\\\\").replace("|", "\\|")

"""Fills in what an option's input refers to: `$Facts`, or `${Facts in figures}`.

Alone, a reference becomes the data of that result with its type kept, or its text where it has no
data. Within a longer text it becomes that text.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from thrifty.executors.protocol import Work


def fill_references(value: Any, work: Work) -> Any:
    """The input of an option with every reference to a result filled in.

    Args:
        value: plain data, as the recipe has it.
        work: with the results that it reads. What it would read and is absent becomes None, or
            nothing within a text. Whatever else follows a `$` stays as it is.
    """
    names = {*work.results, *work.absent}

    def stands_for(name: str, is_alone: bool) -> Any:
        result = work.results.get(name)
        if result is None:
            return None if is_alone else ""
        return result.data if is_alone and result.data is not None else result.text

    return _replace(value, _pattern(names), stands_for) if names else value


def find_reference(value: Any, names: Collection[str]) -> str:
    """The first of some names that an input refers to. Empty where it refers to none of them."""
    found: list[str] = []
    if names:
        _replace(value, _pattern(names), lambda name, _: found.append(name))
    return found[0] if found else ""


def rename_references(value: Any, rename: Callable[[str], str], names: Collection[str]) -> Any:
    """The input of an option with its references under other names, each in braces.

    Args:
        value: plain data.
        rename: gives the new name for an old one, which comes in lower case.
        names: what a reference may be called now, in whatever case.
    """
    if not names:
        return value
    pattern = _pattern({name.casefold() for name in names}, re.IGNORECASE)
    return _replace(value, pattern, lambda name, _: f"${{{rename(name.casefold())}}}")


def _pattern(names: Collection[str], flags: int = 0) -> re.Pattern[str]:
    # The longest first: one name may begin like another.
    either = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.compile(rf"\$(?:\{{({either})\}}|({either})(?!\w))", flags)


def _replace(value: Any, pattern: re.Pattern[str], stands_for: Callable[[str, bool], Any]) -> Any:
    """A copy in which each reference is what `stands_for` returns of its name, and of whether it
    stands alone."""
    if isinstance(value, Mapping):
        return {key: _replace(member, pattern, stands_for) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_replace(member, pattern, stands_for) for member in value]
    if not isinstance(value, str):
        return value
    if alone := pattern.fullmatch(value.strip()):
        return stands_for(alone[1] or alone[2], True)
    # A function, so that no backslash of a result is read as one of a pattern.
    return pattern.sub(lambda found: str(stands_for(found[1] or found[2], False)), value)

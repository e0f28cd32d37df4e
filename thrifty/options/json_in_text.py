"""Finds a list of steps in what a model wrote: arguments of a function, or JSON within a text."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

TEXT_MAX = 60_000
"""What is looked at of a text, in characters."""
DEPTH_MAX = 6
"""How deep the steps may be wrapped: in a call, in its arguments, in a text."""
EFFORT, EFFORT_LEAST = 20, 200_000
"""How many characters of a text may be read in vain: so many times its length, and some more."""
ATTEMPT_EFFORT, NESTING_EFFORT = 500, 20_000
"""What is counted for an attempt at least, and for one that is nested too deep to be read."""
DIGITS_MAX = 18
"""No amount that means anything has more, and an integer of thousands takes long to be read."""
STEPS = "steps"
INSTRUCTIONS = frozenset({"instruction", "instructions"})
STEP_MARKS = INSTRUCTIONS | {"name", "title", "description"}
"""The fields by which a step is known. What has an instruction is one for certain."""
BRACKET = re.compile(r'\{(?=\s*["}])|\[(?=\s*[\[{\]"\-\dtfnNI])')
"""What may begin an object or a list."""


class StepList(NamedTuple):
    """What was found."""

    fields: Mapping[str, Any]
    """What stands beside the steps."""
    steps: list[Any]
    """As they were written."""


def find_steps(given: object, depth: int = DEPTH_MAX) -> StepList | None:
    """The first list of steps in something, also in a text that was cut. None where there is none.

    Args:
        given: plain data or a text, whoever wrote it.
        depth: how deep to look.
    """
    if not depth:
        return None
    if isinstance(given, str):
        return _find_in_text(given[:TEXT_MAX], depth)
    if isinstance(given, Mapping):
        return _find_in_mapping(given, depth)
    if isinstance(given, list | tuple):
        if not given or any(map(_is_step, given)):
            return StepList({}, [*given])
        return _first_found(given, depth)
    return None


def read_object(text: str) -> Any:
    """The JSON object that a text is. None where it is none."""
    try:
        value = _DECODER.decode(text[:TEXT_MAX])
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _find_in_text(text: str, depth: int) -> StepList | None:
    whole: list[Any] = []
    for value in _values_in(text):
        if value and (found := find_steps(value, depth - 1)):
            return found
        if _is_step(value):
            whole.append(value)
    # Of a list that was cut, the steps that are whole.
    return StepList({}, whole) if whole else None


def _find_in_mapping(given: Mapping[Any, Any], depth: int) -> StepList | None:
    steps = given.get(STEPS)
    if isinstance(steps, str) and (found := find_steps(steps, depth - 1)):
        steps = found.steps
    if isinstance(steps, Mapping):
        steps = [_with_id(name, step) for name, step in steps.items()]
    if isinstance(steps, list | tuple):
        return StepList(given, [*steps])
    if not INSTRUCTIONS.isdisjoint(given):
        return None
    for member in given.values():
        if isinstance(member, list | tuple) and any(map(_is_step, member)):
            return StepList(given, [*member])
    return _first_found(given.values(), depth)


def _first_found(members: Iterable[Any], depth: int) -> StepList | None:
    """What the first member holds that holds steps. A list without any is none of steps."""
    for member in members:
        if member and (found := find_steps(member, depth - 1)):
            return found
    return None


def _with_id(name: object, step: object) -> object:
    return {"id": name, **step} if isinstance(step, Mapping) else step


def _is_step(value: object) -> bool:
    return isinstance(value, Mapping) and STEPS not in value and not STEP_MARKS.isdisjoint(value)


def _values_in(text: str) -> Iterator[Any]:
    """The JSON objects and lists in a text, one after another, as far as it can be read in a time
    that its length bounds."""
    start, effort = 0, EFFORT * len(text) + EFFORT_LEAST
    while effort > 0 and (bracket := BRACKET.search(text, start)):
        start = bracket.start()
        try:
            value, end = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as error:
            effort -= max(ATTEMPT_EFFORT, error.pos - start)
            start += 1
        except RecursionError:
            effort -= NESTING_EFFORT
            start += 1
        else:
            yield value
            start = end


def _read_integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= DIGITS_MAX else None


_DECODER = json.JSONDecoder(parse_int=_read_integer, parse_constant=lambda name: None)

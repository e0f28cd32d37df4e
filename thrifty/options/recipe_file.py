"""Reads a recipe's file: YAML, with everything refused that hides a mistake or an attack."""

from pathlib import Path
from typing import Any

import yaml

from thrifty.budget import InvalidInput
from thrifty.options.recipe import Recipe
from thrifty.options.recipe_schema import read_recipe

FILE_BYTES_MAX = 5_000_000
NESTING_MAX = 32

# The C parser reads ten thousand options in a second. The pure one needs ten.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_SafeLoader):  # type: ignore[misc]
    """The safe loader, with a key given twice as an error: YAML would drop the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key, _ in node.value:
            # Other keys than scalars are unhashable, which the safe loader refuses itself.
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"the key {key.value!r} is given twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # a date or an integer that Python cannot hold
            raise yaml.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from error


def read_recipe_file(path: Path, where: str) -> Recipe:
    """Reads the file at a path, as `read_recipe_text` does."""
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)  # one more tells of a larger one
    except OSError as error:
        remedy = f"give a file that can be read ({error.strerror})"
        raise InvalidInput(where, str(path), remedy) from error
    if len(raw) > FILE_BYTES_MAX:
        raise InvalidInput(where, str(path), f"give a file of at most {FILE_BYTES_MAX:,} bytes")
    try:
        return read_recipe_text(raw.decode("utf-8-sig"), where)
    except UnicodeDecodeError as error:
        raise InvalidInput(where, str(path), f"save it as UTF-8 ({error.reason})") from error


def read_recipe_text(text: str, where: str) -> Recipe:
    """Reads a recipe from YAML.

    Args:
        text: the YAML.
        where: what errors call it: "recipe my.yaml".

    Raises:
        InvalidInput: the text is no YAML, or no recipe.
    """
    try:
        _check_depth_and_aliases(text, where)
        document = yaml.load(text, _StrictLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else 0
        remedy = f"correct the YAML: {error.problem}"
        raise InvalidInput(_location(where, line), _line_text(text, line), remedy) from error
    except yaml.YAMLError as error:
        remedy = f"correct the YAML: {getattr(error, 'reason', error)}"
        raise InvalidInput(where, text[:40], remedy) from error
    return read_recipe(document, where, line_of=lambda path: _line_number(text, path))


def _check_depth_and_aliases(text: str, where: str) -> None:
    """Walks the events, which costs no stack and no memory, before anything is built."""
    depth = line = 0
    for event in yaml.parse(text, _SafeLoader):
        line = event.start_mark.line if event.start_mark else line
        if isinstance(event, yaml.AliasEvent):
            raise InvalidInput(_location(where, line), f"*{event.anchor}", "write it out in full")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > NESTING_MAX:
            remedy = f"nest at most {NESTING_MAX} levels"
            raise InvalidInput(_location(where, line), _line_text(text, line), remedy)


def _location(where: str, line: int) -> str:
    return f"{where} (line {line + 1})"


def _line_text(text: str, line: int) -> str:
    lines = text.splitlines()
    return lines[line].strip() if line < len(lines) else ""


def _line_number(text: str, path: tuple[str | int, ...]) -> int:
    """The line, from 1, of the deepest part of a path that exists."""
    node = yaml.compose(text, _SafeLoader)
    if node is None:
        return 1
    for part in path:
        child = _child_node(node, part)
        if child is None:
            break
        node = child
    return int(node.start_mark.line) + 1


def _child_node(node: yaml.Node, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part]  # type: ignore[no-any-return]
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    return None

"""One word for one thing: no type and no file is called like another, and none by a metaphor."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
STEMS_TWICE = {
    "frontier",  # what is computed, and the command that shows it
    "plan",  # the noun, the node, and the command
    "spend",  # what was used, and the command that sums it
    "protocol",  # what stands at the head of each room of things that can be swapped
}
METAPHORS = {
    *("books", "chord", "chords", "course", "curtain", "desk", "door", "doors", "envelope"),
    *("gate", "gated", "leeways", "logbook", "moments", "moves", "nursery", "outlook", "patience"),
    *("purchase", "reach", "sifting", "tab", "tabs", "tail", "tally", "teller", "waves"),
}
"""Words that were ours alone."""
BARE_PARTICIPLE = re.compile(
    r"_*([a-z]+ed|begun|bought|built|chosen|found|given|held|kept|known|lost|made|seen|sent|shown"
    r"|taken|told|written)"
)
"""A function acts, which a verb says, or answers, which a noun says or `is_…`."""
PARTICIPLES_KEPT = {
    "expected",  # of a plan: what it is expected to use
    "metered",  # public: a metered model
    "reserved",  # public: of a balance, as it was a field
    *("settled", "_needed"),  # in files that stay as they are until margins are bounded anew
}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for room in ("cli", "graph", "nodes", "prompts", "thrifty"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if not any(folder.is_symlink() for folder in path.parents):
                yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


SOURCES = dict(sources())
DEFINITIONS = [
    (file, node)
    for file, tree in SOURCES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
]


def words_of(name: str) -> set[str]:
    return {word.casefold() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def twice(names: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    places = defaultdict(list)
    for name, place in names:
        places[name].append(place)
    return {name: found for name, found in places.items() if len(found) > 1}


def test_no_type_is_called_like_another():
    assert not twice((n.name, file) for file, n in DEFINITIONS if isinstance(n, ast.ClassDef))


def test_no_file_is_called_like_another():
    stems = ((Path(file).stem, file) for file in SOURCES if not file.endswith("__init__.py"))
    assert twice(stems).keys() == STEMS_TWICE


def test_nothing_is_called_by_a_metaphor():
    names = [
        *((file, node.name) for file, node in DEFINITIONS),
        *((f, Path(f).stem) for f in SOURCES),
    ]
    assert not [(file, name) for file, name in names if words_of(name) & METAPHORS]


def test_no_function_is_called_by_a_bare_participle():
    names = [(file, n.name) for file, n in DEFINITIONS if not isinstance(n, ast.ClassDef)]
    bare = [(file, name) for file, name in names if BARE_PARTICIPLE.fullmatch(name)]
    assert not [(file, name) for file, name in bare if name not in PARTICIPLES_KEPT]

"""`docs/glossary.md` has each word once, says where it is defined, and no word that nobody uses."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (?P<word>[^|]+?) \| (?P<meaning>[^|]+?) \| `(?P<file>[^`|]+)` \|$", re.M)
ROWS = [row.groupdict() for row in ROW.finditer((ROOT / "docs/glossary.md").read_text("utf-8"))]
SOURCES = [
    path
    for room in ("cli", "graph", "nodes", "prompts", "thrifty")
    for path in (ROOT / room).rglob("*.py")
    if not any(folder.is_symlink() for folder in path.parents)
]


def squeezed(text: str) -> str:
    """As `plan change`, `plan_change` and `PlanChange` are all written."""
    return re.sub(r"[\W_]+", "", text).casefold()


TEXTS = {
    path.relative_to(ROOT).as_posix(): squeezed(f"{path.stem} {path.read_text('utf-8')}")
    for path in SOURCES
}


def test_each_word_stands_there_once():
    words = [squeezed(row["word"]) for row in ROWS]
    assert len(words) > 50
    assert sorted(set(words)) == sorted(words)


@pytest.mark.parametrize("row", ROWS, ids=[row["word"] for row in ROWS])
def test_a_word_is_defined_where_it_says_and_used_elsewhere(row):
    word = squeezed(row["word"])
    assert word in TEXTS[row["file"]]
    assert any(word in text for file, text in TEXTS.items() if file != row["file"])
    assert row["meaning"].endswith(".")

"""Tidies a whole draft: headings, lists, blanks; and notes the parts that it still lacks."""

from __future__ import annotations

import re
from collections.abc import Callable

from thrifty.executors.playbook import singular
from thrifty.executors.words import capital, clean, inert

TO_COMPLETE = "To complete"
LACKS = "asked for and not in the draft."

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*)$")
_BULLET = re.compile(r"^(\s*)[*+•-][ \t]+(\[[ xX]\] )?(.*)$")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
_NOTE = re.compile(rf"^## {TO_COMPLETE}\n\n(?:- .*: {re.escape(LACKS)}(?:\n|\Z))+", re.MULTILINE)
_ENDS = (".", "!", "?", ":", ";", ",", "…", ")", "`", "|", "*", "\u3002", "\uff01", "\uff1f")

Block = list[str]
Change = Callable[[Block], Block]


def tidy(draft: str, parts: tuple[str, ...] = ()) -> str:
    """The draft, whole and tidied; an empty one stays empty.

    Code blocks are left as they are. Tidying a tidy draft changes nothing.

    Args:
        draft: Markdown.
        parts: the parts that the task asked for; the missing ones are listed at the end.
    """
    text = clean(draft)
    for change in (_without_old_note, _tidied, _without_double_blanks):
        text = _outside_code(text, change)
    text = text.strip("\n")
    if not text.strip():
        return ""
    missing = [part for part in parts if not _has_part(text, part)]
    if missing:
        notes = "\n".join(f"- {inert(capital(part))}: {LACKS}" for part in missing)
        text = f"{text}\n\n## {TO_COMPLETE}\n\n{notes}"
    return text + "\n"


def _outside_code(text: str, change: Change) -> str:
    """Applies a change to all lines together, with each code block hidden behind one line."""
    lines: Block = []
    blocks: list[Block] = []
    fence = ""
    for line in text.split("\n"):
        opening = _FENCE.match(line)
        if fence:
            blocks[-1].append(line)
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif opening:
            fence = opening.group(1)
            lines.append(f"\0{len(blocks)}")  # `clean` has left no NUL of the draft's own
            blocks.append([line])
        else:
            lines.append(line)
    whole = (blocks[int(line[1:])] if line[:1] == "\0" else [line] for line in change(lines))
    return "\n".join(line for block in whole for line in block)


def _without_old_note(lines: Block) -> Block:
    """Drops the note that an earlier pass left, and nothing that a writer put under that name."""
    return _NOTE.sub("", "\n".join(lines)).split("\n")


def _tidied(lines: Block) -> Block:
    return _spaced(_lists(_headings([line.rstrip() for line in lines])))


def _headings(lines: Block) -> Block:
    """No level is skipped, and a heading that repeats the one above it goes."""
    tidied: Block = []
    levels: list[int] = []  # the levels of the headings that are open, as written
    last = ""
    for line in lines:
        heading = _HEADING.match(line)
        if not heading:
            # A repeated heading with text between the two is no repetition.
            last = last if not line else ""
            tidied.append(line)
            continue
        level, name = len(heading.group(1)), _without_closing(heading.group(2).strip())
        if not name or name.casefold() == last:
            continue
        levels = [open_level for open_level in levels if open_level < level] + [level]
        depth = len(levels) + (_top(lines) - 1)
        tidied.append(f"{'#' * min(depth, 6)} {name}")
        last = name.casefold()
    return tidied


def _without_closing(name: str) -> str:
    """A heading's text without the number signs that may close it; "C#" keeps its own."""
    bare = name.rstrip("# \t")
    rest = name[len(bare) :]
    return bare + rest.split()[0] if rest.startswith("#") and bare else bare


def _top(lines: Block) -> int:
    """The level of the highest heading: 1 for a title, else 2 for sections."""
    levels = [len(heading.group(1)) for line in lines if (heading := _HEADING.match(line))]
    return 1 if 1 in levels else 2


def _lists(lines: Block) -> Block:
    """One marker for all bullets; in each list, all ends like most ends."""
    tidied: Block = []
    run: list[re.Match[str]] = []
    for line in [*lines, ""]:
        if (bullet := _BULLET.match(line)) and not _is_rule(line):
            run.append(bullet)
            continue
        tidied.extend(_bullets(run))
        run = []
        tidied.append(line)
    return tidied[:-1]


def _bullets(run: list[re.Match[str]]) -> Block:
    texts = [bullet.group(3) for bullet in run]
    stops = sum(text.endswith(".") for text in texts)
    if 2 * stops > len(texts):
        texts = [text if not text or text.endswith(_ENDS) else f"{text}." for text in texts]
    pairs = zip(run, texts, strict=True)
    return [f"{b.group(1)}- {b.group(2) or ''}{text}".rstrip() for b, text in pairs]


def _is_rule(line: str) -> bool:
    """`* * *` and `- - -` are lines across the page."""
    bare = line.replace(" ", "")
    return len(bare) >= 3 and len(set(bare)) == 1


def _spaced(lines: Block) -> Block:
    """One blank line around a heading."""
    spaced: Block = []
    for line in lines:
        is_heading = bool(_HEADING.match(line))
        spaced.extend(["", line, ""] if is_heading else [line])
    return spaced


def _without_double_blanks(lines: Block) -> Block:
    return [line for i, line in enumerate(lines) if line or not i or lines[i - 1]]


def _has_part(text: str, part: str) -> bool:
    """Whether every word of a part's name is in the text, in the singular or the plural."""
    words = {singular(word) for word in re.findall(r"[^\W_]+", text)}
    return all(singular(word) in words for word in re.findall(r"[^\W_]+", part))

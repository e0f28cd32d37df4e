"""Tidies a whole draft, and notes the parts that it still lacks."""

import re
from collections.abc import Collection, Sequence

from thrifty.budget.plain_text import strip_unprintable
from thrifty.executors.offline.quoting import capital, inert

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*\S)")
_BULLET = re.compile(r"^(\s*)[*+•][ \t]+(?=\S)")
_RULE = re.compile(r"^\s*(?:\*\s*){3,}$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")


def tidy(draft: str, parts: Sequence[str] = (), once: Collection[str] = ()) -> str:
    """The draft, whole and tidied. An empty one stays empty.

    Code blocks are left as they are. Tidying a tidy draft changes nothing.

    Args:
        draft: Markdown.
        parts: what the task asked for; the missing ones are listed at the end.
        once: lines of which the first alone is kept, such as the quoted task.
    """
    lines: list[str] = []
    fence = ""
    for line in strip_unprintable(draft).split("\n"):
        if fence:
            lines.append(line)
            is_end = line.strip().startswith(fence) and not line.strip().strip(fence[0])
            fence = "" if is_end else fence
        elif line not in once or line not in lines:
            fence = found[1] if (found := _FENCE.match(line)) else ""
            _add(_tidy_line(line), lines)
    text = "\n".join(lines).strip("\n")
    written = "\n".join(line for line in lines if line not in once)
    return text and "\n".join([text, *_note(written, parts)]) + "\n"


def _tidy_line(line: str) -> str:
    """One marker for all bullets; no blanks in an empty line, or around a heading."""
    if heading := _HEADING.match(line):
        return f"{heading[1]} {heading[2]}"
    return line if _RULE.match(line) else _BULLET.sub(r"\1- ", line if line.strip() else "")


def _add(line: str, lines: list[str]) -> None:
    """Adds a line with one blank line around a heading, and never two blank ones."""
    is_heading, last = _HEADING.match(line), lines[-1] if lines else ""
    if is_heading and line == next((old for old in reversed(lines) if old), ""):
        return  # a heading right under itself
    if line and last and (is_heading or _HEADING.match(last)):
        lines.append("")
    if line or last:
        lines.append(line)


def _note(text: str, parts: Sequence[str]) -> list[str]:
    words = {_singular(word) for word in re.findall(r"[^\W_]+", text)}
    missing = [part for part in parts if not {*map(_singular, part.split())} <= words]
    notes = [f"- {inert(capital(part))}: asked for and not in the draft." for part in missing]
    return ["", "## To complete", "", *notes] if missing else []


def _singular(word: str) -> str:
    """A rough singular, in lower case."""
    return word.casefold().removesuffix("s")

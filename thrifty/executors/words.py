"""Text as it came from outside, made fit to be read, quoted and put in a table."""

import re
import unicodedata

CONTROL = {"Cc", "Cf", "Cs", "Co"}
"""Control and format characters, lone surrogates, private use: what no plain text needs."""

KEPT = {"\n", "\t", "\u200c", "\u200d"}
"""Line ends, tabs, and the joiners that Persian, Hindi and emoji are written with."""

_ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]{0,500}(?:\x07|\x1b\\)?|.)?")
"""A terminal's escape sequence, whole: without its ESC the rest would stay as debris."""

_MARKUP = re.compile(r"(\\{0,20})(<(?=[A-Za-z/!?])|\](?=[(:\[]))")
"""Where a tag or a link could begin; backslashes before it would undo ours, so they are doubled."""


def clean(text: str) -> str:
    """Drops what neither shows nor spaces, and normalises line ends."""
    lines = _ESCAPE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in KEPT or unicodedata.category(c) not in CONTROL)


def one_line(text: str) -> str:
    """Cleaned, on one line, with single spaces."""
    return " ".join(clean(text).split())


def cut(text: str, characters: int) -> str:
    """At most so many characters, ended at a word where there is one, with a mark when cut."""
    if len(text) <= characters:
        return text
    head = text[: characters - 1]
    at_word = head.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > characters // 2 else head).rstrip(" ,;:.") + "…"


def inert(text: str) -> str:
    """One line of Markdown that shows a text as it is: no HTML tag, link or image comes alive."""
    return _MARKUP.sub(r"\1\1\\\2", one_line(text))


def capital(text: str) -> str:
    """With a capital first letter, the others as they are."""
    return text[:1].upper() + text[1:]


def listed(items: tuple[str, ...] | list[str]) -> str:
    """ "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"

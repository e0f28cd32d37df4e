"""Text from outside, made harmless before it reaches a state, a prompt or a screen."""

import re

UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and newline: ESC, NUL, …
    "\u202a-\u202e\u2066-\u2069"  # what turns the direction of all that follows
    "\ufeff\ufff9-\ufffb]"  # byte order and interlinear marks
)
DIRECTION_MARKS = re.compile("[\u061c\u200e\u200f]")
"""Invisible letters of one direction: Arabic and Hebrew write them beside digits and brackets."""
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
BLANK_LINES_BEFORE = re.compile(r"\A(?:[^\S\n]*\n)+")


def strip_unprintable(text: str) -> str:
    """Removes from a text what could move a cursor, turn its direction or fail to be encoded.

    Line ends become newlines. A lone surrogate, which has no UTF-8 form, becomes U+FFFD.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return LONE_SURROGATE.sub("\ufffd", UNPRINTABLE.sub("", lines))


def trim_text(text: str) -> str:
    """The harmless text without blanks around it. The indentation of its first line stays."""
    return BLANK_LINES_BEFORE.sub("", strip_unprintable(text)).rstrip()


def strip_invisible(text: str) -> str:
    """The same without marks of direction: for names, which are known by how they look."""
    return DIRECTION_MARKS.sub("", strip_unprintable(text))


def single_line(text: str) -> str:
    """The text as one harmless line: nothing invisible, and one blank between two words."""
    return " ".join(strip_invisible(text).split())

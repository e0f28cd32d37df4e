"""Text from outside, made harmless before it reaches a state, a prompt or a screen."""

import re

UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and newline: ESC, NUL, …
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of writing
    "\ufeff\ufff9-\ufffb]"  # byte order and interlinear marks
)
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def strip_unprintable(text: str) -> str:
    """Removes from a text what could move a cursor, turn its direction or fail to be encoded.

    Line ends become newlines. A lone surrogate, which has no UTF-8 form, becomes U+FFFD.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return LONE_SURROGATE.sub("\ufffd", UNPRINTABLE.sub("", lines))


def single_line(text: str) -> str:
    """The text as one harmless line: nothing unprintable, and one blank between two words."""
    return " ".join(strip_unprintable(text).split())

"""What a server says, made fit to be shown: harmless, short, and without what looks like a key.

A server may repeat the key that it was sent, in the middle of a sentence.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from thrifty.budget.plain_text import single_line

WORDS_CHARACTERS_MAX = 300
NAME_CHARACTERS_MAX = 60
READ_CHARACTERS_MAX = 4_000
"""So much of a text is looked at. A key is taken out before the text is cut, and not after."""
NO_KEY = "none"
"""What is sent as a key where a server needs none, since clients insist on one."""
REDACTED = "[redacted]"
SECRET_PIECE = 8
"""So many characters of a secret in a row are not shown. A shorter secret is not shown whole."""
PLAIN_HEADERS = (
    *("accept", "accept-encoding", "connection", "content-length", "content-type", "host"),
    *("anthropic-version", "openai-beta", "transfer-encoding", "user-agent"),
    *("amz-sdk-invocation-id", "amz-sdk-request", "x-amz-date"),
)
"""Headers of a request whose values everybody knows. Those of all others are kept secret."""
PLAIN_HEADER_PREFIX = "x-stainless-"
SCHEME = re.compile(r"(?i)^(?:bearer|basic)\s+")
"""What stands before a key in the header `authorization`."""
SIGNS = "AWS4-"
SIGNED = re.compile(r"(?:Credential|Signature)=([^/,\s]+)")
"""What of it is nobody else's where Amazon's clients sign a request: the rest are known words."""
LOOKS_SECRET = re.compile(
    r"""(?ix)
    \b (?: sk | pk | rk | gsk | xai | hf | ghp | glpat | nvapi | pplx | r8 ) [-_] [\w*.…-]{4,}
    | \b (?-i: AIza | eyJ | (?: AKIA | ASIA ) (?= [A-Z0-9]{8} ) ) [\w*.-]{8,}
    | \b (?: bearer | basic ) \s+ [\w*.+/=~-]{6,}
    | (?<= key=) [^\s&"']{4,} | (?<= token=) [^\s&"']{4,} | (?<= password=) [^\s&"']{1,}
    | \b (?= \w* \d ) (?= \w* [a-z] ) \w{24,} \b
    """
)
"""What a key looks like: a known beginning, what follows `Bearer`, or many letters and digits."""


def plain_words(text: object, secrets: Iterable[str] = (), most: int = WORDS_CHARACTERS_MAX) -> str:
    """A server's text as one harmless line that can be shown.

    Args:
        text: of any length, with anything in it.
        secrets: what must not be in it, wherever the server has it from.
        most: how many characters are kept.
    """
    words = single_line(str(text)[:READ_CHARACTERS_MAX])
    for secret in secrets:
        words = _without(words, secret)
    words = LOOKS_SECRET.sub(REDACTED, words).replace('"', "'")  # it is shown between quotes
    return words if len(words) <= most else words[: most - 1] + "…"


def sent_secrets(request: Any) -> tuple[str, ...]:
    """What of a request of an HTTP library must not be shown: headers, and the address's query."""
    values: list[str] = []
    headers = getattr(request, "headers", None)
    for name, value in headers.items() if isinstance(headers, Mapping) else ():
        if name.lower() not in PLAIN_HEADERS and not name.lower().startswith(PLAIN_HEADER_PREFIX):
            signed = SIGNED.findall(str(value)) if str(value).startswith(SIGNS) else []
            values += signed or [SCHEME.sub("", str(value)).strip()]
    params = getattr(getattr(request, "url", None), "params", None)
    values += [str(value) for value in params.values()] if isinstance(params, Mapping) else []
    return tuple(value for value in values if value and value != NO_KEY)


def _without(text: str, secret: str) -> str:
    """The text without a secret, or any larger piece of it, in whatever case."""
    if len(secret) < SECRET_PIECE:
        return re.sub(rf"(?i)(?<!\w){re.escape(secret)}(?!\w)", REDACTED, text) if secret else text
    pieces = {
        secret[start : start + SECRET_PIECE].lower()
        for start in range(len(secret) - SECRET_PIECE + 1)
    }
    folded, hidden = text.lower(), set[int]()
    if len(folded) != len(text):  # letters whose small form is longer
        return text if not any(piece in folded for piece in pieces) else REDACTED
    for start in range(len(text) - SECRET_PIECE + 1):
        if folded[start : start + SECRET_PIECE] in pieces:
            hidden.update(range(start, start + SECRET_PIECE))
    kept: list[str] = []
    for place, letter in enumerate(text):
        if place not in hidden:
            kept.append(letter)
        elif place - 1 not in hidden:
            kept.append(REDACTED)
    return "".join(kept)

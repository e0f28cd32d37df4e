"""Which names say that what they name is secret, so that nothing shows it or writes it down."""

import re

SECRET = re.compile(
    r"(?i)(api|access|private|secret|signing)[_-]?key|_key$|(?<!max[_-])token(?!s)|secret|passw|credential"
    r"|auth(?!or)|bearer|cookie"
)


def is_secret(name: str) -> bool:
    """Whether a field of this name holds a secret: `api_key` does, `max_tokens` does not."""
    return SECRET.search(name) is not None

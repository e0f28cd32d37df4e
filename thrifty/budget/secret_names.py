"""Which names say that what they name is secret, so that nothing shows it or writes it down."""

import re
from numbers import Number

SECRET = (
    r"(?i)(api|access|private|secret|signing)[_-]?key|_key$|(?<!max[_-])token(?!s)|secret|passw"
    r"|credential|auth(?!or(?!iz)|_user|_permission)|bearer|cookie"
)
"""`auth` alone and `authorization` are secret. An author, and the user whom a server has identified
(`auth_user_id`), are not. Compiled when something is refused, which most programs never see."""


def is_secret(name: str, value: object) -> bool:
    """Whether a field of this name holds a secret: `api_key` does, `max_tokens` does not.

    A number is none: who writes `token: 600` meant tokens, and is to read what was refused.
    """
    return re.search(SECRET, name) is not None and not isinstance(value, Number)

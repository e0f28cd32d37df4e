"""Names of accounts that follow from what they are for, with each part escaped and named."""

from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import quote

from thrifty.ledger.act_input import ACCOUNT_LENGTH_MAX


def join_account(kind: str, parts: Sequence[tuple[str, str]], first: str = "") -> str:
    """The name of an account, which no other parts and no person give to another.

    Args:
        kind: what its name begins with, such as `run:`.
        parts: what each part is, and its text. Empty ones are left out.
        first: what stands before them.
    """
    written = [f"{name}={_escape(text)}" for name, text in parts if text]
    account = kind + "/".join([*([first] if first else []), *written])
    if len(account) <= ACCOUNT_LENGTH_MAX:
        return account
    return f"{kind}sha256={sha256(account.encode()).hexdigest()}"


def _escape(part: str) -> str:
    # A text from JSON may hold half a character.
    return quote(part, safe="", errors="surrogatepass")

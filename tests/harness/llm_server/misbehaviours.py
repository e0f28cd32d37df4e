"""The misbehaviours under the names they have in scripts and on the command line."""

import re
from typing import Any

from tests.harness.llm_server import faults
from tests.harness.llm_server.behaviour import Behaviour


def _title_in_kebab_case(kind: type[Behaviour]) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower()


MISBEHAVIOURS: dict[str, type[Behaviour]] = {
    _title_in_kebab_case(getattr(faults, name)): getattr(faults, name) for name in faults.__all__
}
"""Every misbehaviour under its name: `too-many-requests`."""


def named(name: str, **options: Any) -> Behaviour:
    """The behaviour of that name.

    Raises:
        ValueError: there is none, or it has no such option.
    """
    if name not in MISBEHAVIOURS:
        raise ValueError(f"no misbehaviour {name!r}; there are: {', '.join(MISBEHAVIOURS)}")
    try:
        return MISBEHAVIOURS[name](**options)
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from error

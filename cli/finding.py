"""What `thrifty doctor` has found, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

from thrifty.budget.plain_text import single_line

NAMES_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    about: str
    says: str
    remedy: str = ""
    """What to do; empty where nothing is to be done."""
    exit_code: int = 0
    """What a run that needs this would end with; 0 where it can do without."""
    role: str = ""
    """The model roles that it is about, where it is about some."""

    @property
    def state(self) -> Literal["ok", "note", "fail"]:
        if self.exit_code:
            return "fail"
        return "note" if self.remedy else "ok"

    def to_state(self) -> dict[str, str]:
        fields = ("about", "role", "state", "says", "remedy")
        return {field: getattr(self, field) for field in fields}


def list_some(names: frozenset[str]) -> str:
    """The first of some names, in a line."""
    shown = [single_line(name)[:60] for name in sorted(names)[:NAMES_SHOWN_MAX]]
    return ", ".join([*shown, *(["..."] if len(names) > NAMES_SHOWN_MAX else [])])

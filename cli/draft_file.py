"""The file that a draft is written to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from thrifty.budget import InvalidInput
from thrifty.budget.plain_text import plain
from thrifty.receipt.words import one_line


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file that looked writable before anything was spent."""

    path: Path

    @property
    def name(self) -> str:
        """The path as it can be shown."""
        return one_line(str(self.path))

    @classmethod
    def of(cls, given: str | None) -> DraftFile | None:
        """The file of that name; None when no name is given.

        Raises:
            InvalidInput: it cannot be written.
        """
        if given is None:
            return None
        path = Path(given).expanduser()
        target = path if path.exists() else path.parent
        if not given or "\0" in given or path.is_dir() or not os.access(target, os.W_OK):
            raise InvalidInput("--output", given, "name a file in a folder that can be written to")
        return cls(path)

    def write(self, draft: str) -> None:
        """Writes the draft as Markdown."""
        self.path.write_text(f"{plain(draft)}\n" if draft else "", encoding="utf-8")

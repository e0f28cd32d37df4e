"""A file that something is written to, once it is there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from thrifty.budget import InvalidInput
from thrifty.budget.plain_text import single_line


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that looked writable before anything was spent."""

    path: Path

    @property
    def name(self) -> str:
        """The path as it can be shown."""
        return single_line(str(self.path))

    @classmethod
    def of(cls, option: str, given: str | None) -> OutputFile | None:
        """The file of that name; None when no name is given.

        Args:
            option: where the name was given, such as `--output`.
            given: the name.

        Raises:
            InvalidInput: it cannot be written.
        """
        if given is None:
            return None
        path = Path(given).expanduser()
        target = path if path.exists() else path.parent
        if not given or "\0" in given or path.is_dir() or not os.access(target, os.W_OK):
            raise InvalidInput(option, given, "name a file in a folder that can be written to")
        return cls(path)

    def write(self, text: str) -> None:
        """Writes the text in place of what was there."""
        self.path.write_text(text, encoding="utf-8")

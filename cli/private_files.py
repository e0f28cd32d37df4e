"""What commands share: files and folders that nobody but the user can read, whatever the umask.

On Windows nothing is changed: there, what lies in a user's profile is the user's alone anyway.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from thrifty.budget.plain_text import single_line

OWNED_NAME = re.compile(r"runs|(ledger|estimates|trial-\w+)\.sqlite(-\w+)?")
"""What thrifty puts into its home."""
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class NarrowedFiles:
    """What others could read, write or enter in a home."""

    narrowed: tuple[Path, ...]
    """What is the user's alone from now on."""
    left: tuple[Path, ...]
    """What stayed as it was: it belongs to somebody else, or holds more than thrifty's files."""


def make_private_folder(path: Path) -> None:
    """Makes a folder; one that is there stays as it is. Folders above it are as usual.

    Raises:
        OSError: it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_dir():
        path.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        path.chmod(stat.S_IRWXU)


def make_private_file(path: Path) -> None:
    """Makes an empty file; one that is there stays as it is.

    SQLite fills it, and gives its log the same permissions. Where it cannot be made, SQLite
    says why.
    """
    with suppress(OSError):
        path.touch(mode=stat.S_IRUSR | stat.S_IWUSR, exist_ok=False)
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def write_private_file(path: Path, text: str) -> None:
    """Writes a file anew.

    Raises:
        OSError: it cannot be written.
    """
    path.unlink(missing_ok=True)  # what is left of a process that was killed
    make_private_file(path)
    path.write_text(text, "utf-8")


def narrow_home(home: Path) -> NarrowedFiles:
    """Takes from others what they may do with thrifty's files, and with a home of nothing else.

    Links are not followed. A home that holds other files is left as it is: it may be shared on
    purpose, or be `/tmp`.
    """
    narrowed: list[Path] = []
    left: list[Path] = []
    for path, is_owned in _find_open(home):
        (narrowed if is_owned and _narrow(path) else left).append(path)
    return NarrowedFiles(tuple(narrowed), tuple(left))


def _narrow(path: Path) -> bool:
    """Whether it could be taken from others. What is no longer there, they cannot use either."""
    try:
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~OTHERS)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _find_open(home: Path) -> Iterator[tuple[Path, bool]]:
    """What others can use, a folder before what is in it, and whether it is thrifty's."""
    if os.name == "nt" or not home.is_dir():
        return
    entries = list(os.scandir(home))
    if home.stat().st_mode & OTHERS:
        yield home, all(OWNED_NAME.fullmatch(entry.name) for entry in entries)
    waiting = [entry for entry in entries if OWNED_NAME.fullmatch(entry.name)]
    while waiting:
        entry = waiting.pop()
        if entry.is_symlink():
            continue
        # Another process may have deleted it, and what its user cannot enter, others cannot.
        with suppress(FileNotFoundError, PermissionError):
            if entry.stat(follow_symlinks=False).st_mode & OTHERS:
                yield Path(entry.path), True
            if entry.is_dir(follow_symlinks=False):
                waiting += os.scandir(entry.path)


def describe_narrowed(narrowed: Sequence[Path]) -> str:
    """What others could use until now, in a line, by its first file or folder."""
    more = f" and {len(narrowed) - 1:,} more there" if len(narrowed) > 1 else ""
    return f"others could read {single_line(str(narrowed[0]))}{more}; now only you can"

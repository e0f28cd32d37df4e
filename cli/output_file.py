"""What commands share: a file that a result is written to once it is there."""

import os
from pathlib import Path

from thrifty.budget import InvalidInput


def check_output_file(option: str, given: str | None) -> Path | None:
    """The file of that name, which can be written; None when no name is given.

    Args:
        option: where the name was given, such as `--output`.
        given: the name.

    Raises:
        InvalidInput: it cannot be written.
    """
    if given is None:
        return None
    path = Path(given).expanduser()
    # Looked at before anything is spent, so that no result is lost to a wrong name.
    target = path if path.exists() else path.parent
    if not given or "\0" in given or path.is_dir() or not os.access(target, os.W_OK):
        raise InvalidInput(option, given, "name a file in a folder that can be written to")
    return path

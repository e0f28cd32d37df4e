"""What commands share: the images and files that `--attach` sends with the task."""

import mimetypes
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from thrifty.budget import InvalidInput
from thrifty.cli.input_file import read_input

ATTACHMENT_BYTES_MAX = 5_000_000
OPTION = "--attach"
PDF = "application/pdf"

attach_option = click.option(
    OPTION,
    "attachments",
    multiple=True,
    metavar="FILE",
    help="An image or a PDF that is sent with the task. Repeatable.",
)


def read_attach_option(given: Iterable[str]) -> list[dict[str, Any]]:
    """The parts of a message that hold the files.

    Raises:
        InvalidInput: a file cannot be read, is too large, or is of a kind that no model takes.
    """
    return [_read_file(said) for said in given]


def _read_file(said: str) -> dict[str, Any]:
    path = Path(said.removeprefix("@")).expanduser()
    kind = mimetypes.guess_type(path.name)[0] or ""
    if not (kind.startswith("image/") or kind == PDF):
        raise InvalidInput(OPTION, said, "attach an image or a PDF; hand over text with --document")
    raw = read_input(OPTION, said, str(path), ATTACHMENT_BYTES_MAX)
    if len(raw) > ATTACHMENT_BYTES_MAX:
        raise InvalidInput(OPTION, said, f"attach at most {ATTACHMENT_BYTES_MAX:,} bytes each")
    data = f"data:{kind};base64,{b64encode(raw).decode('ascii')}"
    if kind == PDF:
        return {"type": "file", "file": {"filename": path.name, "file_data": data}}
    return {"type": "image_url", "image_url": {"url": data}}

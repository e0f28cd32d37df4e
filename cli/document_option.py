"""What commands share: the documents that `--document` hands over, each the text of a file."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from thrifty.budget import InvalidInput
from thrifty.cli.input_file import read_input

DOCUMENT_BYTES_MAX = 4_000_000
"""More cannot be a text that a state holds."""
OPTION = "--document"
NOT_TEXT = "hand over text in UTF-8 ({why}); an image or a PDF goes with --attach"
NAME_IT = "name it, as in notes=-"

documents_option = click.option(
    OPTION,
    "documents",
    multiple=True,
    metavar="[NAME=]FILE",
    help="A text for steps to read, or a folder of them; - is standard input. Repeatable.",
)


def read_document_option(given: Iterable[str]) -> dict[str, str]:
    """The texts by name. A file without a name is called as it is, less its suffix.

    Raises:
        InvalidInput: a file cannot be read, is no text, or has the name of another.
    """
    documents: dict[str, str] = {}
    for said in given:
        for name, text in _read_one(said):
            if name in documents:
                raise InvalidInput(OPTION, said, f"{name!r} is there; say NAME=FILE for each")
            documents[name] = text
    return documents


def _read_one(said: str) -> Iterator[tuple[str, str]]:
    name, is_named, file = said.rpartition("=")
    if is_named and not name.strip():
        raise InvalidInput(OPTION, said, "write NAME=FILE, or FILE alone")
    path = Path(file.removeprefix("@")).expanduser()
    if file != "-" and path.is_dir():
        if is_named:
            raise InvalidInput(OPTION, said, "drop the name: each file of a folder has its own")
        members = sorted(each for each in path.iterdir() if _is_document(each))
        if not members:
            raise InvalidInput(OPTION, said, "name a folder with files in it")
        yield from ((member.stem, _read_text(str(member), str(member))) for member in members)
        return
    if file == "-" and not is_named:
        raise InvalidInput(OPTION, said, NAME_IT)
    yield name.strip() or path.stem, _read_text(said, "-" if file == "-" else str(path))


def _is_document(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".")


def _read_text(said: str, path: str) -> str:
    raw = read_input(OPTION, "-" if path == "-" else said, path, DOCUMENT_BYTES_MAX)
    if len(raw) > DOCUMENT_BYTES_MAX:
        raise InvalidInput(OPTION, said, f"hand over at most {DOCUMENT_BYTES_MAX:,} bytes each")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(OPTION, said, NOT_TEXT.format(why=error.reason)) from error
    if "\0" in text:
        raise InvalidInput(OPTION, said, NOT_TEXT.format(why="it has a NUL character"))
    return text

"""What commands share: the folder of kept runs, with a folder for each and one ledger for all.

<home>/ledger.sqlite
<home>/runs/<id>/request.json       what was asked; never the key
<home>/runs/<id>/checkpoints.sqlite how far it has come
<home>/runs/<id>/result.json        what it last handed over
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from thrifty.budget import InvalidInput, LedgerUnavailable
from thrifty.cli.input_file import parse_json
from thrifty.cli.private_files import (
    describe_narrowed,
    make_private_file,
    make_private_folder,
    narrow_home,
    write_private_file,
)
from thrifty.cli.run_request import RunRequest
from thrifty.ledger.owner import is_owner_gone
from thrifty.run.identity import local_account
from thrifty.settings import home_folder

if TYPE_CHECKING:
    from thrifty.ledger.sqlite import SqliteLedger

LATEST = "last"
REQUEST_FILE = "request.json"
SavedRunStatus = Literal["running", "waiting", "done", "halted", "interrupted", "damaged"]


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A run that was started on this machine."""

    folder: Path

    @property
    def id(self) -> str:
        """The name of the run, and of its thread."""
        return self.folder.name

    @property
    def account(self) -> str:
        """The account of the run in the ledger: that of the first run of its thread."""
        return local_account(self.id, self._read_text("account"))

    @property
    def checkpoints(self) -> Path:
        """The file of its checkpoints."""
        return self.folder / "checkpoints.sqlite"

    def load_request(self) -> RunRequest:
        """What was asked.

        Raises:
            InvalidInput: the file was damaged.
        """
        return RunRequest.from_state(_read_json(self.folder / REQUEST_FILE))

    @property
    def task(self) -> str:
        """What was asked, in the person's words; empty when the file was damaged."""
        return self._read_text("task")

    def _read_text(self, field: str) -> str:
        """A text of the request; empty when the file was damaged."""
        try:
            text = _read_json(self.folder / REQUEST_FILE).get(field)
        except InvalidInput:
            return ""
        return text if isinstance(text, str) else ""

    @property
    def size(self) -> int:
        """The bytes that its files take."""
        return sum(file.stat().st_size for file in self.folder.iterdir())

    @property
    def changed_at(self) -> float:
        """When it last changed, in seconds since 1970."""
        return max(file.stat().st_mtime for file in self.folder.iterdir())

    def load_result(self) -> Mapping[str, Any]:
        """The result it last handed over; empty when there is none yet."""
        file = self.folder / "result.json"
        return _read_json(file) if file.exists() else {}

    def save_result(self, result: Mapping[str, Any]) -> None:
        """Keeps what the run hands over now."""
        _write_json(self.folder / "result.json", result)

    def delete(self) -> None:
        """Deletes the run, the request last: cut off in between, it can be deleted again."""
        for file in sorted(self.folder.iterdir(), key=lambda file: file.name == REQUEST_FILE):
            file.unlink()
        self.folder.rmdir()


@dataclass(frozen=True, slots=True)
class RunsFolder:
    """The folder of kept runs; `of_user` creates it."""

    path: Path

    @classmethod
    def of_user(cls) -> RunsFolder:
        """The user's own: `THRIFTY_HOME`, or where the platform keeps data.

        What others can read in it is made the user's alone, and the user is told.

        Raises:
            InvalidInput: it cannot be written to.
        """
        home = cls(home_folder())
        try:
            make_private_folder(home.path)
            make_private_folder(home.path / "runs")
            narrowed = narrow_home(home.path).narrowed
        except OSError as error:
            remedy = f"name a folder that can be written to, or use --no-save ({error.strerror})"
            raise InvalidInput("THRIFTY_HOME", str(home.path), remedy) from None
        if narrowed:
            click.echo(f"thrifty: {describe_narrowed(narrowed)}", err=True)
        return home

    @property
    def ledger_file(self) -> Path:
        """The file of the ledger."""
        return self.path / "ledger.sqlite"

    @contextmanager
    def open_ledger(self) -> Iterator[SqliteLedger]:
        """The ledger of all runs, whose file is closed at the end."""
        from thrifty.ledger.sqlite import SqliteLedger  # not for a help text

        make_private_file(self.ledger_file)
        ledger = SqliteLedger(self.ledger_file)
        try:
            yield ledger
        finally:
            ledger.disconnect()

    def add_run(self, request: RunRequest) -> SavedRun:
        """A new run, with its request written down."""
        # The time says when, and the random letters keep two runs of one second apart.
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        run = SavedRun(self.path / "runs" / name)
        try:
            make_private_folder(run.folder)
            _write_json(run.folder / REQUEST_FILE, request.to_state())
        except OSError as error:
            remedy = f"make room there, or use --no-save ({error.strerror})"
            raise InvalidInput("THRIFTY_HOME", str(self.path), remedy) from None
        return run

    def runs(self) -> list[SavedRun]:
        """All runs, the newest first."""
        requests = (self.path / "runs").glob(f"*/{REQUEST_FILE}")
        return [SavedRun(file.parent) for file in sorted(requests, key=_asked_at, reverse=True)]

    def find_run(self, name: str) -> SavedRun:
        """The run of that name, of which the beginning will do; `last` is the newest.

        Raises:
            InvalidInput: there is none, or more than one.
        """
        runs = self.runs()
        matches = runs[:1] if name == LATEST else [run for run in runs if run.id.startswith(name)]
        if len(matches) == 1:
            return matches[0]
        remedy = "write more of its name" if matches else "see `thrifty runs` for those there are"
        if not runs:
            remedy = "no run was kept yet; start one with `thrifty run`"
        raise InvalidInput("RUN", name, remedy)

    def run_status(self, run: SavedRun) -> SavedRunStatus:
        """What has become of a run."""
        with suppress(LedgerUnavailable):  # then its files have to say it
            with self.open_ledger() as ledger:
                owner = ledger.owner_of(run.account)
            if owner:
                return "interrupted" if is_owner_gone(owner) else "running"
        try:
            status: SavedRunStatus = run.load_result().get("status", "interrupted")
        except InvalidInput:
            return "damaged"
        return status


def _asked_at(request: Path) -> tuple[str, int]:
    """When a run was asked for: to the second by its name, and within it by its file."""
    return request.parent.name[: len("20261129-041306")], request.stat().st_mtime_ns


def _read_json(file: Path) -> Mapping[str, Any]:
    try:
        data = parse_json(file.read_text("utf-8"))
        why = "no JSON object"
    except (OSError, ValueError, RecursionError) as error:
        data, why = None, type(error).__name__
    if isinstance(data, Mapping):
        return data
    remedy = f"delete the run with `thrifty forget {file.parent.name}` ({why})"
    raise InvalidInput(file.name, str(file), remedy)


def _write_json(file: Path, data: Mapping[str, Any]) -> None:
    """All of it or nothing, whenever the machine stops."""
    new = file.with_suffix(".new")
    write_private_file(new, json.dumps(data, indent=2, allow_nan=False))
    new.replace(file)

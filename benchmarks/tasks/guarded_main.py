"""Runs a file that a model wrote: no network, no other process, little time and memory.

    python guarded_main.py FILE

An audit hook cannot be taken away again. It refuses what reaches outside of the process, and files
that would be written outside of the folder.
"""

import resource
import runpy
import sys
from pathlib import Path

CPU_S_MAX = 2
MEMORY_BYTES_MAX = 1_000_000_000
FILE_BYTES_MAX = 1_000_000
REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "ctypes.")
WRITING = set("wax+")


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: see `sys.addaudithook`."""
    if event.startswith(REFUSED):
        raise PermissionError(f"{event} is refused here")
    if event == "open":
        path, mode, _ = arguments
        writes = isinstance(mode, str) and WRITING.intersection(mode)
        if writes and isinstance(path, str) and not Path(path).resolve().is_relative_to(HERE):
            raise PermissionError(f"writing {path} is refused here")


HERE = Path.cwd().resolve()
if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))
    sys.path.insert(0, str(HERE))
    sys.addaudithook(refuse)
    runpy.run_path(sys.argv[1], run_name="__main__")

"""A fork that does one thing and ends without pytest's own endings."""

import os
import sys
import traceback
from collections.abc import Callable


def fork_to(act: Callable[[], object]) -> int:
    """Does something in a forked process, as its main thread.

    Returns:
        The process, whose status is 0 if the act went well. What it raised is shown on stderr.
    """
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        act()
        status = 0
    except BaseException:  # noqa: BLE001 - shown, since nobody else would
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)

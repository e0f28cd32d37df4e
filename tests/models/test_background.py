"""The one event loop on which every model call runs."""

import subprocess
import sys

ASKED_AT_ONCE = """
import sys
from threading import Barrier, Thread

sys.setswitchinterval(1e-6)
from thrifty.models.background import background_loop

found, begin = [], Barrier(32)

def ask():
    begin.wait()
    found.append(background_loop())

threads = [Thread(target=ask) for _ in range(32)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(set(map(id, found))))
"""


def test_threads_that_ask_for_the_first_time_at_once_get_one_loop():
    # A connection that two loops share loses an answer that was paid for.
    command = [sys.executable, "-c", ASKED_AT_ONCE]
    asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert asked.stdout.strip() == "1"

"""A process that has everything loaded, and forks one child for each life.

It has no thread of its own, so that a fork is safe; and a life begins at once, not after the
seconds that LangGraph and its clients take to load. Jobs come as lines of JSON and go back so.
"""

import json
import os
import sys

import langchain_openai  # noqa: F401 - loaded before the forks
import psycopg  # noqa: F401

from tests.crash.life import told


def main() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with os.fdopen(writing, "w") as answer:
                answer.write(told(job))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answer:
            result = answer.read()
        os.waitpid(child, 0)
        print(result or json.dumps({"killed": True}), flush=True)


main()

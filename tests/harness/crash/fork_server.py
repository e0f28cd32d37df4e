"""A fork server: it has everything loaded, and forks one child for each life.

It has no thread of its own, so that a fork is safe; and a life begins at once, not after the
seconds that LangGraph and its clients take to load. Jobs come as lines of JSON and go back so.
"""

import importlib
import json
import logging
import os
import sys
from contextlib import suppress

import psycopg  # noqa: F401 - loaded before the forks
from langchain_openai import ChatOpenAI

from tests.harness.crash.life import live_as_json
from thrifty.executors.registry import warm_up


def main() -> None:
    logging.disable(logging.CRITICAL)  # what fails here fails on purpose
    os.environ["SSL_CERT_DIR"] = (
        "/"  # nothing here is asked through TLS: no need to read what it trusts
    )
    warm_up()
    ChatOpenAI(model="gpt-4o-mini", api_key="sk-test")
    loaded: set[str] = set()
    for line in sys.stdin:
        answer = json.loads(_lived(line) or '{"killed": true}')
        load(set(answer.pop("modules", ())) - loaded)
        loaded.update(sys.modules)
        print(json.dumps(answer), flush=True)


def _lived(line: str) -> str:
    """What a life in a process of its own has told; nothing when it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as answer:
            answer.write(live_as_json(json.loads(line)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text


def load(names: set[str]) -> None:
    """Loads what a life has loaded, so that no later one has to."""
    for name in names:
        with suppress(ImportError):
            importlib.import_module(name)


main()

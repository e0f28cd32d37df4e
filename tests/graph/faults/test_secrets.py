"""Secrets wherever a run meets them, and a search of all that it leaves behind.

Found must be nothing: the key is for the server alone, even where that repeats it, what a server
says beside its answer or its error is for nobody, and an exception's words may hold anything. Why a
call failed is told in the server's words, without the keys in them. A canary that has to be found
proves the search.
"""

import json
import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.tracers.base import BaseTracer
from langgraph.checkpoint.sqlite import SqliteSaver

from tests.graph.conftest import TASK
from tests.graph.test_proposals import GOOD
from tests.harness.llm_server import Answer, ErrorStatus, LLMServer
from tests.harness.llm_server.behaviour import Behaviour
from thrifty import (
    InvalidInput,
    Receipt,
    Settings,
    Spend,
    SqliteLedger,
    Step,
    StepOption,
    create_budget_agent,
    proposal_recipe,
)
from thrifty.estimates.sqlite_store import open_store
from thrifty.receipt.html import receipt_page

SECRETS = {
    "key": "canary-key-1001",
    "configurable": "canary-configurable-2002",
    "exception": "canary-exception-3003",
    "its cause": "canary-cause-4004",
    "a refused setting": "canary-setting-5005",
    "header": "canary-header-6006",
    "an error's header": "canary-error-header-7007",
    "beside an error": "canary-error-body-8008",
    "a key in an error": "sk-canary-other-key-8118",
    "beside the answer": "canary-beside-9009",
}
SEEN = "canary-task-0000"
"""In the task, which everything is made of: the search must find it."""
TOLD = "canary-reason-0001"
"""In a server's error: who runs the agent is to read it."""


@dataclass(frozen=True, kw_only=True)
class Talkative(Behaviour):
    """Answers honestly, with secrets in its headers and in fields that nobody asked for."""

    async def send(self, stage, reply):
        payload = stage.dialect.whole(reply)
        payload["debug"] = {"authorization": SECRETS["beside the answer"]}
        await stage.send_json(200, payload, {"x-debug-token": SECRETS["header"]})


class Recorder(BaseTracer):
    """Keeps every run of every part, as a tracing service would get it."""

    def __init__(self):
        super().__init__()
        self.told: list[str] = []

    def _persist_run(self, run: Any) -> None:
        self.told.append(json.dumps(run.model_dump(), default=repr))


def leaky(work):
    try:
        raise KeyError(SECRETS["its cause"])
    except KeyError as error:
        raise RuntimeError(f"cannot log in with {SECRETS['exception']}") from error


def steps():
    option = StepOption("Facts (leaky)", "Facts", "leaky", "finds facts", Spend(5, 0, 9, 1), 9.0)
    return [*proposal_recipe().steps, Step("Facts", (option,))]


def contents(folder):
    """The bytes of every file, and of databases the rows too: pages may be packed."""
    found = {}
    for file in filter(lambda path: path.is_file(), folder.rglob("*")):
        found[file.name] = file.read_bytes()
        if file.suffix == ".sqlite":
            with closing(sqlite3.connect(file)) as database, database:
                found[f"{file.name}, its rows"] = "\n".join(database.iterdump()).encode()
    return found


def asked(server, api, folder, tracer):
    """Runs an agent that meets every secret; what it hands out, by name."""
    server.script(
        Talkative(answer=Answer({"steps": [GOOD]}), when="propose three"),
        ErrorStatus(
            status=400,
            body={
                "error": {"message": f"{TOLD}: {SECRETS['key']}, {SECRETS['a key in an error']}"},
                "debug": SECRETS["beside an error"],
            },
            headers={"x-trace": SECRETS["an error's header"]},
        ),
        Talkative(answer=Answer("A section. " * 40), times=None),
    )
    settings = Settings(api_key=SECRETS["key"], base_url=server.base_url, api=api)
    ledger = SqliteLedger(folder / "ledger.sqlite")
    config = {
        "configurable": {"thread_id": "t", "openai_api_key": SECRETS["configurable"]},
        "callbacks": [tracer],
    }
    given = {"task": f"{TASK} {SEEN}", "budget": {"max_tokens": 30_000, "max_tool_calls": 20}}
    with (
        SqliteSaver.from_conn_string(str(folder / "checkpoints.sqlite")) as saver,
        open_store(folder / "bills.sqlite") as store,
    ):
        agent = create_budget_agent(
            settings=settings,
            ledger=ledger,
            catalog=steps(),
            executors={"leaky": leaky},
            checkpointer=saver,
            store=store,
        )
        parts = list(agent.stream(given, config, stream_mode=["custom", "updates", "values"]))
        with pytest.raises(InvalidInput) as refused:
            agent.invoke(given, config, context={"api_key": SECRETS["a refused setting"]})
        state = agent.get_state({"configurable": {"thread_id": "t"}})
    ledger.disconnect()
    result = [part for mode, part in parts if mode == "values"][-1]
    receipt = Receipt.from_state(result["receipt"])
    assert {line.status for line in receipt.lines} >= {"done", "failed"}
    return {
        "the stream": repr(parts),
        "the state": repr(state),
        "the receipt": repr(receipt),
        "the page": receipt_page(receipt, result["draft"]),
        "the refusal": repr(refused.value),
        "the settings": repr(settings),
    }


def test_no_secret_is_found_anywhere_afterwards(tmp_path, caplog, api):
    caplog.set_level(logging.INFO)  # at DEBUG, the HTTP client logs the headers of replies
    caplog.set_level(logging.DEBUG, "thrifty")
    tracer = Recorder()
    with LLMServer() as server:
        told = asked(server, api, tmp_path, tracer)
        assert server.requests[0].headers["authorization"] == f"Bearer {SECRETS['key']}"
    told |= {"the log": caplog.text, "the trace": "\n".join(tracer.told)}
    places = {place: text.encode() for place, text in told.items()} | contents(tmp_path)
    seen = {place for place, text in places.items() if SEEN.encode() in text}
    assert seen >= {"the stream", "the receipt", "the page", "the trace", "checkpoints.sqlite"}
    told_why = {place for place, text in places.items() if TOLD.encode() in text}
    assert told_why >= {"the stream", "the receipt", "the trace"}
    leaks = [
        (name, place)
        for name, secret in SECRETS.items()
        for place, text in places.items()
        if secret.encode() in text
    ]
    assert not leaks

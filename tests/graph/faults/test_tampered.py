"""A checkpoint that somebody has changed: no code in it runs, and no money comes of it."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing

import ormsgpack
import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.graph.conftest import receipt_of
from tests.graph.faults.conftest import ASKED, RUN, THREAD, answer, catalog
from thrifty import InvalidInput, Spend

CONSTRUCTOR_OF_ONE = 0
CONSTRUCTOR_OF_MANY = 1
METHOD_OF_ONE = 3
"""How LangGraph's serializer marks what is made by a call when it is read."""


def touching(file):
    """Rows that would make a file when they are read by somebody too trusting."""
    command = f"touch {file}"
    call: Callable[..., bytes] = lambda kind, *what: ormsgpack.packb(  # noqa: E731
        ormsgpack.Ext(kind, ormsgpack.packb(what))
    )
    lc = {"lc": 2, "type": "constructor", "id": ["os", "system"], "args": [command]}
    return {
        "a call": ("msgpack", call(CONSTRUCTOR_OF_ONE, "os", "system", command)),
        "a call with several": ("msgpack", call(CONSTRUCTOR_OF_MANY, "os", "system", [command])),
        "a method": ("msgpack", call(METHOD_OF_ONE, "os", "system", command, "__call__")),
        "a constructor in JSON": ("json", json.dumps(lc).encode()),
        "a pickle": ("pickle", f"cos\nsystem\n(S'{command}'\ntR.".encode()),
        "no msgpack": ("msgpack", b"\xc1\xff\x00"),
        "no kind at all": ("shell", command.encode()),
    }


@pytest.mark.parametrize("kind", touching(""))
def test_no_code_in_a_tampered_checkpoint_runs(invoke, home, tmp_path, kind):
    assert invoke("run", "Draft a project plan for a party", "--max-tokens", "500").exit_code == 0
    (file,) = home.rglob("checkpoints*")
    made = tmp_path / "made"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE checkpoints SET type = ?, checkpoint = ?", touching(made)[kind])
    result = invoke("resume")
    assert not made.exists()
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 2  # which run, and what is wrong
    assert "its checkpoints are damaged" in result.stderr


def changed(agent, node, values):
    agent.update_state(THREAD, values, as_node=node)


def test_a_limit_that_is_raised_in_the_state_alone_raises_none(offline, ledger):
    """The ledger's own limits hold, whatever a checkpoint says."""
    agent = offline(
        catalog=catalog("ABC"), executors={"mine": answer}, checkpointer=InMemorySaver()
    )
    agent.invoke({**ASKED, "budget": {"max_tokens": 10}}, THREAD, interrupt_before=["route"])
    run = agent.get_state(THREAD).values["run"]
    changed(agent, "plan", {"run": {**run, "budget": {"max_tokens": 10**9}}})
    result = agent.invoke(None, THREAD)
    assert ledger.balance(RUN).budget.max_tokens == 10
    assert ledger.balance(RUN).spent.tokens <= 10
    assert receipt_of(result).spent.tokens <= 10


@pytest.mark.parametrize(
    "values",
    [
        {"plan": {"status": "optimal"}},
        {"plan": "all of them"},
        {"outcomes": [{"status": "free"}]},
        {"proposed": [{"name": "x", "options": "y"}]},
        {"learned": {"steps": 5}},
    ],
    ids=str,
)
def test_a_state_that_no_run_wrote_is_refused(offline, ledger, values):
    agent = offline(catalog=catalog(), executors={"mine": answer}, checkpointer=InMemorySaver())
    agent.invoke(ASKED, THREAD, interrupt_before=["route"])
    changed(agent, "plan", values)
    with pytest.raises(InvalidInput):
        agent.invoke(None, THREAD)
    assert ledger.balance(RUN).spent == Spend()


def test_an_executor_that_is_written_into_a_state_is_not_run(offline, ledger):
    agent = offline(catalog=catalog(), executors={"mine": answer}, checkpointer=InMemorySaver())
    agent.invoke(ASKED, THREAD, interrupt_before=["run_local"])
    (task,) = agent.get_state(THREAD).tasks
    assert task.name == "run_local"
    plan = agent.get_state(THREAD).values["plan"]
    chosen = [{**option, "executor": "os.system"} for option in plan["chosen"]]
    changed(agent, "plan", {"plan": {**plan, "chosen": chosen}, "direction": "route"})
    result = agent.invoke(None, THREAD)
    done = {line.executor for line in receipt_of(result).lines if line.status == "done"}
    assert done <= {"mine"}

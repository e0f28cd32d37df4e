"""`thrifty forget`: deletes what was asked for and nothing else, and never a bill."""

import errno
import json
import os
import time
from pathlib import Path

import pytest

from tests.cli.test_saved_runs import wait_for
from tests.harness.llm_server import Hang, LLMServer
from thrifty import SqliteLedger

BUDGET = ("--max-tokens", "2200", "--max-tool-calls", "2")


@pytest.fixture
def kept(invoke):
    """The names of three runs, the oldest first."""
    return [
        json.loads(invoke("run", f"Plan party {i}", *BUDGET, "--offline", "--json").stdout)["run"]
        for i in range(3)
    ]


def listed(invoke):
    return json.loads(invoke("runs", "--json").stdout)["runs"]


def names(invoke):
    return {row["run"] for row in listed(invoke)}


def age(home, run, days):
    then = time.time() - days * 86_400
    for file in (home / "runs" / run).iterdir():
        os.utime(file, (then, then))


def test_a_run_is_deleted_by_its_name_and_its_bill_stays(invoke, kept, home):
    ledger = SqliteLedger(home / "ledger.sqlite")
    before = list(ledger.entries(f"run:local/thread={kept[1]}/run=1"))
    told = invoke("forget", kept[1])
    assert told.exit_code == 0
    assert told.stdout == f"{kept[1]}\n"
    assert told.stderr.startswith("Deleted 1 run, 0.")
    assert names(invoke) == {kept[0], kept[2]}
    assert not (home / "runs" / kept[1]).exists()
    assert before
    assert list(ledger.entries(f"run:local/thread={kept[1]}/run=1")) == before


def test_several_go_at_once_each_a_single_time(invoke, kept):
    told = json.loads(invoke("forget", kept[0], kept[2], kept[0], "--json").stdout)
    assert told["runs"] == [kept[0], kept[2]]
    assert told["deleted"]
    assert told["bytes"] > 0
    assert names(invoke) == {kept[1]}


def test_nothing_goes_when_one_name_is_wrong(invoke, kept):
    result = invoke("forget", kept[0], "1999")
    assert result.exit_code == 2
    assert "RUN: got '1999'" in result.stderr
    assert names(invoke) == set(kept)


@pytest.mark.parametrize("arguments", [(), ("last", "--older-than", "3")])
def test_runs_are_named_or_of_an_age(invoke, kept, arguments):
    result = invoke("forget", *arguments)
    assert result.exit_code == 2
    assert "Name the runs, or say --older-than DAYS" in result.stderr
    assert names(invoke) == set(kept)


def test_what_is_old_is_shown_first_and_deleted_when_confirmed(invoke, kept, home):
    age(home, kept[0], 31)
    age(home, kept[1], 29)
    shown = invoke("forget", "--older-than", "30")
    assert shown.stdout == f"{kept[0]}\n"
    assert "--yes deletes them" in shown.stderr
    assert names(invoke) == set(kept)
    assert json.loads(invoke("forget", "--older-than", "30", "--json").stdout)["deleted"] is False
    invoke("forget", "--older-than", "30", "--yes")
    assert names(invoke) == {kept[1], kept[2]}


def test_a_run_that_can_go_on_is_deleted_by_name_alone(invoke, home):
    waits = invoke("run", "x", *BUDGET, "--approve-plan", "--offline", "--json")
    run = json.loads(waits.stdout)["run"]
    assert waits.exit_code == 11
    age(home, run, 400)
    assert json.loads(invoke("forget", "--older-than", "1", "--yes", "--json").stdout)["runs"] == []
    assert invoke("forget", run).exit_code == 0
    assert names(invoke) == set()


@pytest.mark.parametrize(
    "payer",
    [(), pytest.param(("--account", "me"), marks=pytest.mark.long)],
    ids=["alone", "on an account"],
)
def test_a_run_at_work_is_left_alone(invoke, start, home, payer):
    invoke("account", "open", "me", "9 calls a day")
    with LLMServer() as server:
        server.script(Hang(times=None))
        known = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": server.base_url}
        process = start("run", "x", *BUDGET, *payer, "--no-proposals", environ=known)
        wait_for(lambda: server.requests)
        assert [row["status"] for row in listed(invoke)] == ["running"]
        result = invoke("forget", "last")
        process.kill()
        process.communicate()
    assert result.exit_code == 2
    assert "it is at work; stop it first" in result.stderr
    assert len(names(invoke)) == 1


@pytest.mark.parametrize("file", ["request.json", "result.json"])
def test_a_damaged_run_hides_no_other_and_can_be_deleted(invoke, kept, home, file):
    (home / "runs" / kept[1] / file).write_text("{")
    assert names(invoke) == set(kept)
    shown = invoke("resume" if file == "request.json" else "show", kept[1])
    assert shown.exit_code == 2
    assert f"delete the run with `thrifty forget {kept[1]}`" in shown.stderr
    assert invoke("forget", kept[1]).exit_code == 0
    assert names(invoke) == {kept[0], kept[2]}


def test_a_deletion_that_is_cut_off_can_be_made_again(invoke, kept, home, monkeypatch):
    unlink = Path.unlink

    def until_the_request(file):
        if file.name == "request.json":
            raise OSError(errno.EIO, "no more")
        unlink(file)

    with monkeypatch.context() as cut:
        cut.setattr(Path, "unlink", until_the_request)
        assert invoke("forget", kept[0]).exit_code == 1
    (row,) = [row for row in listed(invoke) if row["run"] == kept[0]]
    assert row["task"] == "Plan party 0"
    assert invoke("forget", kept[0]).exit_code == 0
    assert not (home / "runs" / kept[0]).exists()


@pytest.mark.parametrize("command", ["show", "resume", "forget"])
def test_a_shell_completes_names_of_runs_with_their_tasks(invoke, kept, command):
    words = {"COMP_WORDS": f"thrifty {command} {kept[0][:8]}", "COMP_CWORD": "2"}
    told = invoke(env={"_THRIFTY_COMPLETE": "zsh_complete", **words})
    assert f"plain\n{kept[0]}\nPlan party 0\n" in told.stdout
    nothing = invoke(
        env={"_THRIFTY_COMPLETE": "zsh_complete", **words, "THRIFTY_HOME": "/dev/null"}
    )
    assert nothing.stdout.strip() == ""
    assert nothing.exception is None or isinstance(nothing.exception, SystemExit)

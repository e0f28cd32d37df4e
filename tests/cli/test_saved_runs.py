"""Runs that are kept: listed, shown, asked about, cut off in the middle, and resumed."""

import json
import os
import pty
import re
import signal
import sqlite3
import time
from contextlib import closing, suppress

import pytest

from tests.cli.conftest import KEY
from tests.harness.llm_server import Answer, Hang
from tests.long_cases import long_but
from thrifty import Spend, SqliteLedger

BUDGET = ("--max-tokens", "2200", "--max-tool-calls", "2")


def bill(home, run):
    ledger = SqliteLedger(home / "ledger.sqlite")
    return ledger.balance(f"run:local/thread={run}/run=1").spent


def wait_for(condition, timeout_s=240):
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_run_is_listed_and_shown(invoke):
    made = json.loads(invoke("run", "Plan our move", *BUDGET, "--json").stdout)
    (row,) = json.loads(invoke("runs", "--json").stdout)["runs"]
    assert row == {
        "run": made["run"], "status": "done", "spend": made["spend"], "task": "Plan our move",
    }  # fmt: skip
    assert json.loads(invoke("show", made["run"][:6], "--json").stdout) == made
    assert invoke("show", "--quiet").stdout.startswith("## ")
    assert re.search(rf"{made['run']} +done", invoke("runs").stdout)


def test_the_last_run_is_the_one_that_was_started_last(invoke, home):
    """Also of several in a second, whose names are alike up to a few random letters."""
    made = [
        json.loads(invoke("run", f"Plan {i}", "--offline", "--json").stdout)["run"]
        for i in range(6)
    ]
    rows = json.loads(invoke("runs", "--json").stdout)["runs"]
    assert [row["run"] for row in rows] == made[::-1]
    assert json.loads(invoke("show", "--json").stdout)["run"] == made[-1]


def test_a_run_that_is_not_to_be_kept_leaves_nothing(invoke, home):
    assert invoke("run", "x", *BUDGET, "--no-save").exit_code == 0
    assert list(home.iterdir()) == []
    assert "No run was kept yet" in invoke("runs").stdout


@pytest.mark.parametrize("command", ["show", "resume"])
def test_a_run_that_is_not_there_is_refused(invoke, command):
    empty = invoke(command)
    assert empty.exit_code == 2
    assert "no run was kept yet; start one with `thrifty run`" in empty.stderr
    invoke("run", "x", *BUDGET)
    result = invoke(command, "1999")
    assert result.exit_code == 2
    assert result.stderr.endswith("RUN: got '1999'; see `thrifty runs` for those there are\n")


def test_a_home_that_is_no_folder_is_refused_before_anything_is_spent(invoke, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    result = invoke("run", "x", env={"THRIFTY_HOME": str(file)})
    assert result.exit_code == 2
    assert "thrifty: THRIFTY_HOME: got " in result.stderr


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"task": 5}', '{"task": "x", "own_recipe": 7}'])
def test_a_damaged_request_is_told_in_a_line(invoke, home, damage):
    invoke("run", "x", *BUDGET)
    (folder,) = (home / "runs").iterdir()
    (folder / "request.json").write_text(damage)
    result = invoke("resume")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


def test_no_file_holds_the_key(invoke, home, models):
    invoke("run", "x", *BUDGET, *models)
    files = [file for file in home.rglob("*") if file.is_file()]
    assert files
    assert not any(KEY.encode() in file.read_bytes() for file in files)


@pytest.fixture
def waiting(invoke, server, models):
    """The name of a run that waits, as the model's answers are three times too long."""
    server.script(Answer(tokens=1500, times=None))
    result = invoke("run", "Draft a proposal", *BUDGET, *models, "--on-drift", "ask", "--json")
    assert result.exit_code == 11
    told = json.loads(result.stdout)
    assert told["status"] == "waiting"
    assert told["question"]["about"] == "budget"
    return told["run"]


def test_a_run_waits_for_an_answer(invoke, waiting, server, home):
    (row,) = json.loads(invoke("runs", "--json").stdout)["runs"]
    assert row["status"] == "waiting"
    assert row["spend"]["tokens"] == server.bill.total_tokens
    assert "would buy" in invoke("show").stderr
    asked = len(server.requests)
    again = invoke("resume")
    assert again.exit_code == 11
    assert len(server.requests) == asked
    finished = invoke("resume", waiting, "--finish")
    assert finished.exit_code == 3
    assert "a person chose to finish" in finished.stdout
    assert bill(home, waiting).tokens == server.bill.total_tokens


def test_a_raised_budget_lets_it_go_on(invoke, waiting, server, home):
    result = invoke("resume", waiting, "--max-tokens", "9000", "--max-tool-calls", "9", "--json")
    told = json.loads(result.stdout)
    assert told["receipt"]["budget"]["max_tokens"] == 9000
    assert Spend.from_state(told["spend"]).tokens == server.bill.total_tokens
    prompts = [request.prompt for request in server.requests]
    assert len(set(prompts)) == len(prompts)


def test_a_budget_below_what_is_spent_is_refused(invoke, waiting, server, home):
    before = bill(home, waiting)
    result = invoke("resume", waiting, "--max-tokens", "100")
    assert f"this is {before.tokens - 100:,} tokens short of it" in result.stderr
    assert result.exit_code == 11
    assert bill(home, waiting) == before


def test_a_run_that_waits_says_so_however_quiet_it_is(invoke, waiting, tmp_path):
    page = tmp_path / "page.html"
    asked = invoke("resume", waiting, "--quiet", "--html", str(page))
    assert asked.stdout == ""
    assert f"the run waits for an answer; answer with `thrifty resume {waiting}" in asked.stderr
    assert f"{page} was not written: the run waits" in asked.stderr
    assert not page.exists()


def steps_done(told):
    lines = told["receipt"]["lines"]
    return {line["label"].partition(" (")[0] for line in lines if line["status"] == "done"}


@pytest.mark.parametrize(("without", "is_done"), [("", True), ("Quality pass", False)])
def test_a_run_that_has_ended_can_go_on_without_a_step(invoke, waiting, without, is_done):
    ended = steps_done(json.loads(invoke("resume", waiting, "--finish", "--json").stdout))
    assert "Quality pass" not in ended
    more = ("--max-tokens", "20000", "--max-tool-calls", "9", "--json")
    left_out = ("--leave-out", without) if without else ()
    whole = steps_done(json.loads(invoke("resume", waiting, *more, *left_out).stdout))
    assert whole >= ended
    assert ("Quality pass" in whole) == is_done
    odd = invoke("resume", waiting, "--leave-out", "Nonsense", "--max-tokens", "21000")
    assert "name a step: Clarify deliverables, Outline plan" in odd.stderr


def test_an_answer_says_one_thing(invoke, waiting):
    result = invoke("resume", "--go", "--finish")
    assert result.exit_code == 2


def test_a_plan_can_be_approved_first(invoke, server, models):
    result = invoke("run", "x", *BUDGET, *models, "--approve-plan", "--json")
    assert result.exit_code == 11
    assert json.loads(result.stdout)["question"]["about"] == "plan"
    assert not server.requests
    assert invoke("resume", "--go").exit_code == 0


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
@pytest.mark.parametrize("how", long_but([signal.SIGKILL, signal.SIGINT], signal.SIGKILL))
def test_a_run_that_was_cut_off_goes_on_where_it_was(start, invoke, home, server, models, how):
    """The call that was cut off is charged in full; what was answered is not asked again."""
    server.script(Answer("Aims and means, in full. " * 20), Hang(times=None))
    roomy = ("--max-tokens", "20000", "--max-tool-calls", "9")
    process = start("run", "x", *roomy, *models, environ={"OPENAI_API_KEY": KEY})
    wait_for(lambda: len(server.requests) == 2)
    process.send_signal(how)
    process.communicate(timeout=240)
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    (row,) = json.loads(invoke("runs", "--json").stdout)["runs"]
    assert row["status"] == "interrupted"
    server.clear()
    result = invoke("resume", "--json")
    told = json.loads(result.stdout)
    assert told["status"] == "done"
    prompts = [request.prompt for request in server.requests]
    assert prompts.count(prompts[0]) == 1
    lines = told["receipt"]["lines"]
    assert sum(line["actual"]["tokens"] for line in lines) == told["spend"]["tokens"]
    assert sum(line["actual"]["tool_calls"] for line in lines) == told["spend"]["tool_calls"]
    assert not [d for d in told["receipt"]["decisions"] if "was stopped" in d["reason"]]
    spent = bill(home, row["run"])
    assert spent.tokens == Spend.from_state(told["spend"]).tokens
    assert spent.tokens > server.bill.total_tokens  # the lost call is on the bill, in full
    assert spent.tokens <= 20_000


def test_of_two_that_resume_at_once_one_is_told(start, invoke, server, models, home):
    server.script(Hang(times=None))
    process = start("run", "x", *BUDGET, *models, environ={"OPENAI_API_KEY": KEY})
    wait_for(lambda: server.requests)
    result = invoke("resume")
    process.kill()
    process.communicate()
    assert result.exit_code == 9
    assert f"is held by 'pid {process.pid} on " in result.stderr


RAISE = ("raise", "a person set the budget to")


@pytest.mark.skipif(os.name == "nt", reason="needs a terminal")
@pytest.mark.parametrize(("key", "said"), long_but([RAISE, ("", None)], RAISE))
def test_a_person_at_a_terminal_is_asked(start, server, models, key, said):
    server.script(Answer(tokens=1500, times=None))
    ours, theirs = pty.openpty()
    arguments = ("run", "x", *BUDGET, *models, "--on-drift", "ask")
    process = start(*arguments, environ={"OPENAI_API_KEY": KEY}, terminal=theirs)
    os.close(theirs)
    shown, answered = "", False
    with suppress(OSError):  # how a terminal tells that the other side has gone
        while part := os.read(ours, 65536):
            shown += part.decode("utf-8", "replace")
            if not answered and "Answer (go, raise, leave out, finish)" in shown:
                os.write(ours, f"{key}\n".encode())
                answered = True
    os.close(ours)
    assert process.wait(timeout=240) in (0, 3, 13)
    assert answered
    assert "would buy" in shown
    assert (said or "a person set the budget to") in shown


def test_the_databases_are_sound_afterwards(invoke, home):
    invoke("run", "x", *BUDGET)
    for file in home.rglob("*.sqlite"):
        with closing(sqlite3.connect(file)) as database, database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)

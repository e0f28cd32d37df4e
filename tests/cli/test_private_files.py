"""Whatever the umask, what is kept is the user's alone; what is wider is narrowed, and said."""

import json
import os
import re
import stat
from pathlib import Path

import pytest

from tests.cli.test_saved_runs import wait_for
from tests.harness.llm_server import Hang, LLMServer
from thrifty.cli.private_files import make_private_folder, narrow_home, write_private_file

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there, profiles are private as they are")

BUDGET = ("--max-tokens", "2200", "--max-tool-calls", "2")


@pytest.fixture(autouse=True)
def umask():
    """Takes nothing away from anybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(home):
    """What may be done with each file and folder, by its name."""
    paths = [home, *home.rglob("*")]
    return {str(path.relative_to(home)): oct(stat.S_IMODE(path.lstat().st_mode)) for path in paths}


def private(home):
    return {
        str(path.relative_to(home)): "0o700" if path.is_dir() else "0o600"
        for path in [home, *home.rglob("*")]
    }


def open_to_all(home):
    """A home as another umask and earlier versions left it."""
    for path in [home, *home.rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)


def test_a_home_and_all_that_is_in_it_is_the_users_alone(invoke, home):
    nested = home / "deep" / "down"
    env = {"THRIFTY_HOME": str(nested)}
    made = json.loads(invoke("run", "x", *BUDGET, "--json", env=env).stdout)
    assert invoke("doctor", env=env).exit_code == 0
    run = f"runs/{made['run']}"
    assert private(nested) == modes(nested)
    assert {
        *(".", "ledger.sqlite", "estimates.sqlite", "runs", run, f"{run}/request.json"),
        *(f"{run}/checkpoints.sqlite", f"{run}/result.json"),
    } <= modes(nested).keys()
    assert modes(home)["deep"] == "0o777"  # what is above it is not thrifty's


@pytest.mark.long
def test_so_are_the_logs_of_its_databases_while_it_runs(start, home):
    with LLMServer() as server:
        server.script(Hang(times=None))
        models = ("--base-url", server.base_url, "--models", "gpt-4.1", "--no-proposals")
        process = start("run", "x", *BUDGET, *models, environ={"OPENAI_API_KEY": "sk-canary"})
        wait_for(lambda: server.requests)
        seen, expected = modes(home), private(home)
        process.kill()
        process.communicate()
    assert seen == expected
    assert {"ledger.sqlite-wal", "ledger.sqlite-shm"} <= seen.keys()
    assert any(name.endswith("checkpoints.sqlite-wal") for name in seen)


def test_what_others_could_read_is_narrowed_once_and_the_user_is_told(invoke, home):
    invoke("run", "x", *BUDGET)
    open_to_all(home)
    shown = invoke("runs", "--json")
    assert modes(home) == private(home)
    wide = len(modes(home))
    assert shown.stderr == (
        f"thrifty: others could read {home} and {wide - 1} more there; now only you can\n"
    )
    assert len(json.loads(shown.stdout)["runs"]) == 1
    assert invoke("runs", "--json").stderr == ""
    (home / "ledger.sqlite").chmod(0o640)
    told = invoke("show", "--json").stderr
    assert told == f"thrifty: others could read {home / 'ledger.sqlite'}; now only you can\n"


def test_doctor_says_so(invoke, home):
    invoke("run", "x", *BUDGET)

    def finding():
        findings = json.loads(invoke("doctor", "--json").stdout)["findings"]
        return next(each for each in findings if each["about"] == "files")

    assert finding()["says"] == f"only you can read what is kept in {home}"
    open_to_all(home)
    assert re.search("others could read .*; now only you can", finding()["says"])
    assert modes(home) == private(home)
    (home / "notes.txt").write_text("mine")
    home.chmod(0o755)
    found = finding()
    assert found["state"] == "note"
    assert found["says"].startswith(f"others can look into {home}, but not into what thrifty")
    assert "THRIFTY_HOME" in found["remedy"]


def test_a_folder_with_other_files_stays_as_it_is_but_for_what_is_thriftys(invoke, home):
    """Else `THRIFTY_HOME=/tmp` would take `/tmp` from everybody."""
    invoke("run", "x", *BUDGET)
    (home / "notes.txt").touch()
    (home / "mail").mkdir()
    open_to_all(home)
    invoke("runs")
    expected = {**private(home), ".": "0o777", "notes.txt": "0o666", "mail": "0o777"}
    assert modes(home) == expected
    assert narrow_home(home).left == (home,)


def test_a_link_is_not_followed(home, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    runs = home / "runs"
    make_private_folder(runs)
    (runs / "linked").symlink_to(outside)
    (home / "ledger.sqlite").symlink_to(outside / "file")
    assert narrow_home(home).narrowed == ()
    assert (modes(outside)["."], modes(outside)["file"]) == ("0o777", "0o666")


def test_what_is_read_only_stays_so(home):
    (home / "ledger.sqlite").touch(0o444)
    assert narrow_home(home).narrowed == (home / "ledger.sqlite",)
    assert modes(home)["ledger.sqlite"] == "0o400"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all")
def test_a_folder_that_its_user_cannot_enter_stops_no_command(invoke, home):
    make_private_folder(home / "runs" / "locked")
    (home / "runs" / "locked").chmod(0)
    assert invoke("runs").exit_code == 0
    (home / "runs" / "locked").chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all")
def test_what_belongs_to_somebody_else_is_left():
    assert narrow_home(Path("/")).narrowed == ()


def test_what_a_killed_process_left_is_written_anew(home):
    file = home / "result.new"
    file.touch()
    write_private_file(file, "{}")
    assert (file.read_text(), modes(home)["result.new"]) == ("{}", "0o600")


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o277, 0o777])
def test_a_stricter_umask_locks_the_user_out_of_nothing(invoke, home, mask):
    os.umask(mask)
    nested = home / "nested"
    try:
        result = invoke("run", "x", *BUDGET, env={"THRIFTY_HOME": str(nested)})
    finally:
        os.umask(0)
    assert result.exit_code == 0
    assert modes(nested) == private(nested)


def test_completion_changes_nothing_and_says_nothing(start, home, monkeypatch, invoke):
    invoke("run", "x", *BUDGET)
    open_to_all(home)
    before = modes(home)
    monkeypatch.setenv("_THRIFTY_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "thrifty show ")
    monkeypatch.setenv("COMP_CWORD", "2")
    process = start()
    out, err = process.communicate(timeout=240)
    assert (out.count("plain,"), err) == (1, "")
    assert modes(home) == before

"""The command as a process: what it loads, pipes, and Ctrl-C."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.long_cases import long_but

SHOW_MODULES = """
import atexit, sys
HEAVY = ("langgraph", "langchain", "langchain_core", "langchain_openai", "openai", "pydantic",
         "matplotlib", "plotille", "jinja2")
atexit.register(lambda: print("LOADED", [name for name in HEAVY if name in sys.modules]))
from thrifty.cli.main import main; main()
"""


def finished(process, timeout_s=240):
    out, err = process.communicate(timeout=timeout_s)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (["--help"], "LOADED []"),
        (["run", "--help"], "LOADED []"),
        (["plan", "x", "--max-tokens", "2200"], "LOADED ['pydantic']"),
        (["frontier", "--help"], "LOADED []"),
        (["frontier", "x", "--max-tokens", "2200"], "LOADED ['pydantic', 'plotille']"),
        (["receipt", "--help"], "LOADED []"),
        (["doctor", "--help"], "LOADED []"),
        (["options"], "LOADED ['pydantic']"),
        (["account", "--help"], "LOADED []"),
        (["account", "open", "me", "$5 a day"], "LOADED []"),
        (["spend"], "LOADED []"),
    ],
)
def test_what_needs_no_graph_loads_none(start, arguments, loaded):
    code, out, _ = finished(start(*arguments, code=SHOW_MODULES))
    assert (code, out.splitlines()[-1]) == (0, loaded)


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("thrifty fro", ["plain,frontier"]),
        ("thrifty frontier --over c", ["plain,cost", "plain,calls"]),
        ("thrifty run --budg", ["plain,--budget"]),
        ("thrifty x", []),
    ],
)
def test_a_shell_completes_commands_options_and_choices(start, monkeypatch, words, completed):
    monkeypatch.setenv("_THRIFTY_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    code, out, err = finished(start())
    assert (code, out.split(), err) == (0, completed, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_help_says_how_to_complete(invoke, start, monkeypatch, shell):
    variable, instruction = "_THRIFTY_COMPLETE", f"{shell}_source"
    assert f"{variable}={instruction} thrifty" in invoke("--help").stdout
    monkeypatch.setenv(variable, instruction)
    assert "_thrifty_completion" in finished(start())[1]


def test_a_run_as_a_process(start):
    code, out, err = finished(start("run", "Draft a plan", "--max-tokens", "2200"))
    assert code == 0
    assert out.startswith("#")
    assert "Done offline, within budget." in out
    assert "Traceback" not in err


def test_a_reader_that_leaves_causes_no_traceback(start):
    with start("options", "--yaml") as process:
        process.stdout.close()
        assert process.wait(timeout=240) in (0, 1)
        assert "Traceback" not in process.stderr.read()


@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
@pytest.mark.parametrize("side_by_side", long_but(["1", "3"], "3"))
def test_ctrl_c_ends_a_run_whose_server_hangs(start, side_by_side):
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        process = start(
            "run", "x", "--max-tokens", "9000", "--no-proposals", "--models", "gpt-4.1",
            "--max-concurrency", side_by_side,
            "--base-url", f"http://127.0.0.1:{hanging.getsockname()[1]}/v1",
        )  # fmt: skip
        for line in process.stderr:
            if line.startswith("▸ Outline plan (LLM)"):
                break
        asked, _ = hanging.accept()
        with asked:
            assert asked.recv(1)
            process.send_signal(signal.SIGINT)
            code, out, err = finished(process)  # nothing else would end it
    assert code == 130
    assert re.search(r"^thrifty: interrupted: `thrifty resume [-\w]+` goes on$", err, re.M)
    assert "Traceback" not in err
    assert "Halted, within budget: interrupted" in out
    if side_by_side == "1":
        assert "## Clarify deliverables" in out


@pytest.mark.long
def test_a_terminal_without_utf_8_gets_question_marks_and_no_traceback(start):
    code = "import sys; sys.stdout.reconfigure(encoding='ascii'); "
    code += "from thrifty.cli.main import main; main()"
    exit_code, out, err = finished(start("run", "x", code=code))
    assert exit_code == 0
    assert "Planned ? used" in out
    assert sys.executable not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "command", [("options",), ("run", "Draft a project plan for a tea party", "--offline")]
)
def test_a_full_disk_is_named(home, command):
    main = "from thrifty.cli.main import main; main()"
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", main, *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert "thrifty: No space left on device" in ended.stderr
